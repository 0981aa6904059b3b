//! Headquarters of a replay: made in the temporary folder, and served by a process of their own.

use crate::child::{Crew, Process};
use crate::failure::Failure;
use crate::loopback::{self, Api};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use testigo_hq::{Certificates, HealthView, HqError, PackSource, ResultsView};
use testigo_wire::{ElectionPack, Invitation, SigningKey, TableId};
use zeroize::Zeroizing;

/// How long nothing may come of the desk.
const PATIENCE: Duration = Duration::from_secs(60);

/// Headquarters.
pub struct Headquarters {
    crew: Crew,
    data: PathBuf,
    address: SocketAddr,
    api: Api,
    process: Option<Process>,
}

impl Headquarters {
    /// Makes them for this election.
    pub fn make(folder: &Path, source: &PackSource, crew: Crew) -> Result<Self, Failure> {
        let (data, address) = (folder.join("hq"), loopback::free_address()?);
        testigo_hq::init(
            &data,
            source,
            &[format!("http://{address}")],
            Certificates::Own,
        )?;
        Ok(Self {
            crew,
            data,
            address,
            api: Api::at(address)?,
            process: None,
        })
    }

    /// Enrolment codes for these tables, in their order, and the election.
    pub fn invite(
        &self,
        tables: &[Option<TableId>],
    ) -> Result<(Vec<Invitation>, ElectionPack), Failure> {
        let mut made = None;
        testigo_hq::invite_all(&self.data, tables, |invitations, pack| {
            made = Some((invitations.to_vec(), pack.clone()));
            Ok::<_, HqError>(())
        })?;
        made.ok_or_else(|| Failure::said("No hay códigos.", "There are no codes."))
    }

    /// Their signed keys, for phones.
    pub fn keyset(&self) -> Result<Vec<u8>, Failure> {
        let path = self.data.join("public/keyset.cose");
        std::fs::read(&path).map_err(Failure::file(&path))
    }

    /// Their root, which lies beside them as in all practice.
    pub fn root(&self) -> Result<SigningKey, Failure> {
        let path = self.data.join("keys/root.key");
        let bytes = Zeroizing::new(std::fs::read(&path).map_err(Failure::file(&path))?);
        let seed = bytes
            .as_slice()
            .try_into()
            .map_err(|_| Failure::file(&path)(std::io::ErrorKind::InvalidData.into()))?;
        Ok(SigningKey::from_seed(seed))
    }

    /// Starts the process; returns once it listens.
    pub fn start(&mut self) -> Result<(), Failure> {
        let mut process = self.crew.start(&[
            &"hq",
            &"--data",
            &self.data,
            &"serve",
            &"--listen",
            &self.address.to_string(),
            &"--until-stdin-closes",
        ])?;
        process.read()?;
        self.process = Some(process);
        Ok(())
    }

    /// Kills the process where it stands, and starts it again.
    pub fn restart(&mut self) -> Result<(), Failure> {
        if let Some(process) = self.process.take() {
            process.kill();
        }
        self.start()
    }

    /// Returns once the desk has opened all that has come.
    pub fn wait_for_desk(&self) -> Result<(), Failure> {
        let (mut since, mut before) = (Instant::now(), u64::MAX);
        loop {
            let health: HealthView = self.api.get("/v1/health")?;
            if health.unopened == 0 {
                return Ok(());
            }
            if health.unopened < before {
                (since, before) = (Instant::now(), health.unopened);
            } else if since.elapsed() > PATIENCE {
                return Err(Failure::said(
                    "La mesa de la central no abre lo recibido.",
                    "Headquarters' desk does not open what came.",
                ));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What they have counted.
    pub fn results(&self) -> Result<ResultsView, Failure> {
        self.api.get("/v1/results")
    }

    /// Their own export, in a file.
    pub fn export(&self) -> Result<PathBuf, Failure> {
        let path = self.data.with_file_name("export.csv");
        let _: Value = self
            .crew
            .run(&[&"hq", &"--data", &self.data, &"export", &"--out", &path])?;
        Ok(path)
    }
}
