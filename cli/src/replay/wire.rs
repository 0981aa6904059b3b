//! Delivery over loopback HTTP, through faults.

use super::faults::Fault;
use super::phones::{Seat, Stand};
use crate::child::{Crew, interrupted};
use crate::failure::Failure;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use testigo_phone::sync::{Client, NetworkFault, Request, Response, Selection, Step, SyncPass};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Phones of one thread that deliver at the same time.
const AT_ONCE: usize = 8;
/// How long a phone waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long a phone waits before it tries again. A real one waits longer; the night would take days.
const PAUSE: Duration = Duration::from_millis(50);
/// Passes without a receipt until something else than chance is at fault.
const MAX_PASSES: usize = 1_000;

/// Has all of them deliver, on so many threads; `arrived` is called for each once headquarters' receipt is verified and on
/// the phone's disk. Then the phone is gone.
pub fn deliver(
    seats: Vec<Seat>,
    stand: &Stand<'_>,
    threads: usize,
    crew: &Crew,
    mut arrived: impl FnMut() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(Failure::file(Path::new("tokio")))?;
    let client = Client::new(TIMEOUT, Vec::new()).map_err(Failure::foreign)?;
    let turns = Arc::new(Semaphore::new(AT_ONCE * threads));
    let mut phones = JoinSet::new();
    for seat in seats {
        let (client, turns, crew, loss) = (client.clone(), turns.clone(), crew.clone(), stand.loss);
        phones.spawn_on(
            async move {
                let _turn = turns.acquire_owned().await;
                one(seat, &client, loss, &crew).await
            },
            runtime.handle(),
        );
    }
    runtime.block_on(async {
        while let Some(delivered) = phones.join_next().await {
            for happened in delivered.map_err(Failure::foreign)?? {
                stand.faults.add(happened);
            }
            arrived()?;
        }
        Ok(())
    })
}

/// One phone, pass after pass until its record has its receipt; also what went wrong meanwhile.
async fn one(
    mut seat: Seat,
    client: &Client,
    loss: f64,
    crew: &Crew,
) -> Result<Vec<Fault>, Failure> {
    let mut happened = Vec::new();
    for _ in 0..MAX_PASSES {
        if crew.is_interrupted() {
            return Err(interrupted());
        }
        let mut pass = SyncPass::new(Selection::Queued);
        let report = loop {
            match pass.step(&mut seat.phone)? {
                Step::Done(report) => break report,
                Step::Send(request) => {
                    let fault = draw(&mut seat, loss);
                    let outcome = send(client, request, fault).await;
                    happened.extend(fault);
                    pass.reply(&mut seat.phone, outcome)?;
                }
            }
        };
        if report.parked > 0 {
            break;
        }
        if seat.phone.outbox()?.delivered > 0 {
            drop(seat.phone);
            std::fs::remove_dir_all(&seat.home).map_err(Failure::file(&seat.home))?;
            return Ok(happened);
        }
        tokio::time::sleep(PAUSE).await;
    }
    let row = seat.row + 1;
    Err(Failure::said(
        format!("El teléfono de la fila {row} no recibe su recibo."),
        format!("The phone of row {row} gets no receipt."),
    ))
}

/// What goes wrong with this request.
fn draw(seat: &mut Seat, loss: f64) -> Option<Fault> {
    let faults = [Fault::RequestLost, Fault::ReplyLost, Fault::Doubled];
    let draws = seat.chance.between(0.0, 1.0) < loss;
    draws
        .then(|| faults.get(seat.chance.below(faults.len())).copied())
        .flatten()
}

async fn send(
    client: &Client,
    request: Request,
    fault: Option<Fault>,
) -> Result<Response, NetworkFault> {
    match fault {
        Some(Fault::RequestLost) => Err(NetworkFault::Interrupted),
        Some(Fault::ReplyLost) => {
            // What comes back does not reach the phone.
            let _ = client.send(request).await?;
            Err(NetworkFault::Interrupted)
        }
        Some(Fault::Doubled) => {
            let _ = client.send(request.clone()).await?;
            client.send(request).await
        }
        _ => client.send(request).await,
    }
}
