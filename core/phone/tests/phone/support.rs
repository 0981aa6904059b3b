//! A headquarters of a few lines, built on the wire format alone, for a phone to talk to.

use data_encoding::BASE64;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use testigo_phone::sync::{
    Method, NetworkFault, Request, Response, Selection, Step, SyncPass, SyncReport,
};
use testigo_phone::{Clock, DatabaseKey, Phone};
use testigo_wire::*;

/// A clock that stands where it is put.
#[derive(Clone, Copy)]
pub struct FixedClock(pub Time);

impl Clock for FixedClock {
    fn now(&self) -> Time {
        self.0
    }
    fn monotonic_ms(&self) -> u64 {
        1000
    }
    fn boot_id(&self) -> BootId {
        BootId([3; 16])
    }
}

/// A clock that the test turns.
#[derive(Clone, Default)]
pub struct TurnedClock(Arc<Mutex<Hands>>);

#[derive(Default)]
struct Hands {
    boot: u8,
    monotonic_ms: u64,
    wall_ms: i64,
}

impl TurnedClock {
    /// Lets time go by, on both clocks.
    pub fn pass(&self, ms: u64) {
        let mut hands = self.0.lock().unwrap();
        hands.monotonic_ms += ms;
        hands.wall_ms += ms as i64;
    }

    /// Starts the phone anew, or not, and sets the wall clock by so much.
    pub fn turn(&self, boot: u8, wall_ms: i64) {
        let mut hands = self.0.lock().unwrap();
        if hands.boot != boot {
            *hands = Hands {
                boot,
                monotonic_ms: 0,
                ..*hands
            };
        }
        hands.wall_ms += wall_ms;
    }
}

impl Clock for TurnedClock {
    fn now(&self) -> Time {
        let millis = time("2024-07-28T18:30:00-04:00").millis() + self.0.lock().unwrap().wall_ms;
        Time::from_millis(millis, -240).unwrap()
    }
    fn monotonic_ms(&self) -> u64 {
        self.0.lock().unwrap().monotonic_ms
    }
    fn boot_id(&self) -> BootId {
        BootId([self.0.lock().unwrap().boot; 16])
    }
}

pub fn time(text: &str) -> Time {
    Time::from_rfc3339(text).unwrap()
}

pub fn clock() -> Box<FixedClock> {
    Box::new(FixedClock(time("2024-07-28T18:30:00-04:00")))
}

pub fn key() -> DatabaseKey {
    DatabaseKey::from_bytes([42; 32])
}

pub const TABLE: &str = "201301006.01";

pub struct FakeHq {
    pub root: SigningKey,
    pub seal: SealSecretKey,
    pub receipt: SigningKey,
    pub election: ElectionId,
    pub device: Option<(VerifyingKey, StoreId)>,
    /// What it keeps, in the order of arrival, with the receipt it gave.
    pub kept: Vec<(Eid, Body)>,
    pub receipts: BTreeMap<Eid, Vec<u8>>,
    pub answer_code: ReceiptCode,
    pub epoch: Epoch,
    pub blobs: FakeBlobs,
    /// Version of its keyset; 0: its replies do not say.
    pub keyset_version: u64,
    /// What it answers to a question for its keyset.
    pub published: Vec<u8>,
    /// What it was asked for.
    pub asks: Vec<Ask>,
    /// What its pack says of readable copies.
    pub no_history: bool,
    /// What its desk has signed, in this run of its store, by number from 1.
    pub notices: Vec<Vec<u8>>,
}

impl FakeHq {
    pub fn new(n: u8) -> Self {
        Self {
            root: SigningKey::from_seed(&[n; 32]),
            seal: SealSecretKey::from_bytes(&[n + 1; 32]),
            receipt: SigningKey::from_seed(&[n + 2; 32]),
            election: ElectionId([n; 8]),
            device: None,
            kept: Vec::new(),
            receipts: BTreeMap::new(),
            answer_code: ReceiptCode::ACCEPTED,
            epoch: Epoch([1; 16]),
            blobs: FakeBlobs::default(),
            keyset_version: 0,
            published: Vec::new(),
            asks: Vec::new(),
            no_history: false,
            notices: Vec::new(),
        }
    }

    pub fn keyset(&self, endpoints: &[&str]) -> Vec<u8> {
        Keyset {
            version: self.keyset_version.max(1),
            election: self.election,
            issued_at: time("2024-07-27T12:00:00Z"),
            root: self.root.verifying_key(),
            seal: vec![self.seal.public_key().unwrap()],
            receipt: vec![self.receipt.verifying_key()],
            desk: vec![self.desk().verifying_key()],
            log: vec![],
            revoked: vec![],
            endpoints: endpoints.iter().map(|e| (*e).to_owned()).collect(),
            pins: vec![],
        }
        .sign(&self.root)
        .unwrap()
    }

    /// The key of the desk, which signs notices.
    pub fn desk(&self) -> SigningKey {
        SigningKey::from_seed(&[200; 32])
    }

    pub fn pack(&self) -> Vec<u8> {
        ElectionPack {
            date: "2024-07-28".into(),
            time_zone: "America/Caracas".into(),
            candidates: vec![Candidate {
                code: "A".into(),
                name: "A".into(),
            }],
            slots: (0..38)
                .map(|n| Slot {
                    party: n.to_string(),
                    candidate: "A".into(),
                })
                .collect(),
            tables: vec![PollingTable::in_areas(
                TableId::new(TABLE).unwrap(),
                535,
                ["", "", ""],
            )],
            no_history: self.no_history,
            ..ElectionPack::new(self.election, "Ejemplo")
        }
        .sign(&self.root)
        .unwrap()
    }

    pub fn invitation(&self) -> Invitation {
        Invitation {
            capability: Capability::random().unwrap(),
            root: RootId::of(&self.root.verifying_key()),
            election: self.election,
            table: Some(TableId::new(TABLE).unwrap()),
        }
    }

    /// A phone in `dir`, enrolled here.
    pub fn phone(&self, dir: &Path) -> Phone {
        let mut phone = Phone::create(dir, &key(), clock()).unwrap();
        let keyset = self.keyset(&["http://127.0.0.1:1"]);
        phone
            .enrol(&self.invitation(), &keyset, Some(&self.pack()))
            .unwrap();
        phone
    }

    /// Takes a request in and answers it, as headquarters does.
    pub fn answer(&mut self, request: &Request) -> Response {
        if request.url.ends_with("/v1/keyset") {
            assert_eq!(request.method, Method::Get);
            return Response {
                status: 200,
                media_type: "application/cose".into(),
                body: self.published.clone(),
                ..Response::default()
            };
        }
        if !request.url.ends_with("/v1/envelopes") {
            return self.blobs.answer(request, &self.receipt);
        }
        let mut answers = Vec::new();
        let mut rest = request.body.as_slice();
        while !rest.is_empty() {
            if let Some(behind) = padding::skip(rest).unwrap() {
                rest = behind;
                continue;
            }
            let (item, tail) = cbor::first("item", rest, MAX_ENVELOPE).unwrap();
            rest = tail;
            answers.extend(self.item(item));
        }
        Response {
            status: 200,
            media_type: Reply::MEDIA_TYPE.into(),
            body: Reply {
                epoch: self.epoch,
                keyset: self.keyset_version,
                answers,
            }
            .to_bytes(),
            ..Response::default()
        }
    }

    /// Its desk signs a notice; `minute` tells the order of what it says of one record.
    pub fn notice(&mut self, eid: Eid, status: NoticeStatus, safe: bool, minute: i64) {
        let at = time("2024-07-28T23:30:00Z").millis() + minute * 60_000;
        let at = Time::from_millis(at, 0).unwrap();
        let notice = Notice::new(eid, status, safe, at);
        self.notices.push(notice.sign(&self.desk()).unwrap());
    }

    fn item(&mut self, bytes: &[u8]) -> Vec<Answer> {
        if let Ok(ask) = Ask::parse(bytes) {
            return self.told(&ask);
        }
        vec![self.kept_or_not(bytes)]
    }

    fn told(&mut self, ask: &UnverifiedAsk) -> Vec<Answer> {
        let Some((device, _)) = self.device else {
            return vec![Answer::Deferred {
                eid: ask.eid(),
                deferral: Deferral::UNKNOWN_DEVICE,
            }];
        };
        let ask = ask.verify(&device).unwrap();
        self.asks.push(ask);
        let after = if ask.epoch == self.epoch {
            ask.after
        } else {
            0
        };
        (1..)
            .zip(&self.notices)
            .filter(|(number, _)| *number > after)
            .take(Ask::MAX_NOTICES)
            .map(|(number, notice)| Answer::Notice {
                number,
                notice: notice.clone(),
            })
            .collect()
    }

    fn kept_or_not(&mut self, bytes: &[u8]) -> Answer {
        let eid = Eid::of(bytes);
        if let Ok(enrolment) = Enrolment::parse(bytes) {
            let key = enrolment.capability();
            assert_eq!(key.0.len(), 8);
            // The capability's public half is not kept here: the device vouches for itself.
            let (device, store) = peek_enrolment(bytes);
            self.device = Some((device, store));
            return self.sign(eid, store, ReceiptCode::ACCEPTED);
        }
        let Some((device, store)) = self.device else {
            return Answer::Deferred {
                eid,
                deferral: Deferral::UNKNOWN_DEVICE,
            };
        };
        let envelope = Envelope::parse(bytes).unwrap().verify(&device).unwrap();
        if !self.receipts.contains_key(&eid) && !self.answer_code.is_refusal() {
            self.kept.push((eid, envelope.open(&self.seal).unwrap()));
        }
        self.sign(eid, store, self.answer_code)
    }

    fn sign(&mut self, eid: Eid, store: StoreId, code: ReceiptCode) -> Answer {
        let receipt = self.receipts.entry(eid).or_insert_with(|| {
            Receipt::new(store, eid, time("2024-07-28T23:00:00Z"), code)
                .sign(&self.receipt)
                .unwrap()
        });
        Answer::Receipt(receipt.clone())
    }
}

/// A tus server in memory: uploads by their path.
#[derive(Default)]
pub struct FakeBlobs {
    pub uploads: BTreeMap<String, Upload>,
    /// Requests, as `METHOD` and the bytes of the body.
    pub log: Vec<(Method, usize)>,
}

/// One upload.
pub struct Upload {
    pub length: u64,
    pub bytes: Vec<u8>,
}

impl FakeBlobs {
    fn answer(&mut self, request: &Request, key: &SigningKey) -> Response {
        self.log.push((request.method, request.body.len()));
        let header = |name: &str| {
            let found = request.headers.iter().find(|(n, _)| *n == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        assert_eq!(header("Tus-Resumable"), "1.0.0");
        let at = request.url.find("/v1/blobs").unwrap();
        let path = request.url[at..].to_owned();
        let status = |status| Response {
            status,
            ..Response::default()
        };
        if request.method == Method::Post {
            let path = format!("/v1/blobs/{}", self.uploads.len());
            let length = header("Upload-Length").parse().unwrap();
            let bytes = Vec::new();
            self.uploads.insert(path.clone(), Upload { length, bytes });
            return Response {
                location: Some(path),
                ..status(201)
            };
        }
        let Some(upload) = self.uploads.get_mut(&path) else {
            return status(404);
        };
        if request.method == Method::Patch {
            if header("Upload-Offset") != upload.bytes.len().to_string() {
                return status(409);
            }
            upload.bytes.extend_from_slice(&request.body);
        }
        let whole = upload.bytes.len() as u64 == upload.length;
        let blob_receipt = whole.then(|| {
            let blob = BlobRef {
                sha256: Sha256::digest(&upload.bytes).into(),
                size: upload.length,
            };
            BASE64.encode(&BlobReceipt::new(blob).sign(key).unwrap())
        });
        Response {
            upload_offset: Some(upload.bytes.len() as u64),
            blob_receipt,
            ..status(if request.method == Method::Patch {
                204
            } else {
                200
            })
        }
    }
}

/// Reads device and store out of an enrolment whose capability only the phone knew.
fn peek_enrolment(bytes: &[u8]) -> (VerifyingKey, StoreId) {
    let mut d = minicbor::Decoder::new(bytes);
    d.tag().unwrap();
    d.array().unwrap();
    d.bytes().unwrap();
    d.skip().unwrap();
    let mut payload = minicbor::Decoder::new(d.bytes().unwrap());
    payload.array().unwrap();
    payload.skip().unwrap();
    payload.skip().unwrap();
    (payload.decode().unwrap(), payload.decode().unwrap())
}

/// Runs a pass, asking `network` for the outcome of each request.
pub fn run(
    phone: &mut Phone,
    selection: Selection,
    network: impl FnMut(&Request) -> Result<Response, NetworkFault>,
) -> SyncReport {
    drive(phone, SyncPass::new(selection), network)
}

/// Runs this pass.
pub fn drive(
    phone: &mut Phone,
    mut pass: SyncPass,
    mut network: impl FnMut(&Request) -> Result<Response, NetworkFault>,
) -> SyncReport {
    for _ in 0..1000 {
        match pass.step(phone).unwrap() {
            Step::Done(report) => return report,
            Step::Send(request) => pass.reply(phone, network(&request)).unwrap(),
        }
    }
    panic!("the pass does not end");
}

/// A pass over a network without faults.
pub fn deliver(phone: &mut Phone, hq: &mut FakeHq) -> SyncReport {
    run(phone, Selection::Queued, |request| Ok(hq.answer(request)))
}
