"""Testigo's phone, as `import testigo` gives it. The tests hold this against the library itself."""

import builtins
import enum
from typing import Optional, Protocol

class Language(enum.Enum):
    ES = 0
    EN = 1

class Phase(enum.Enum):
    OPENING = 0
    VOTING = 1
    SAFETY = 2
    COUNT = 3
    SHEET = 4
    OTHER = 5

class Severity(enum.Enum):
    INFO = 0
    LOW = 1
    HIGH = 2
    DANGER = 3

class NextStep(enum.Enum):
    CORRECT_INPUT = 0
    ENROL = 1
    UNLOCK = 2
    ASK_COORDINATOR = 3
    FREE_SPACE = 4
    TRY_AGAIN = 5
    KEEP_AND_REPORT = 6

class LogLevel(enum.Enum):
    ERROR = 0
    WARN = 1
    INFO = 2
    DEBUG = 3
    TRACE = 4

class Rotation(enum.Enum):
    NONE = 0
    QUARTER = 1
    HALF = 2
    THREE_QUARTER = 3

class AttachmentKind(enum.Enum):
    WHOLE = 0
    THUMBNAIL = 1

class InternalError(Exception):
    """The library itself is broken: a panic that nothing caught."""

class Explanation:
    code: str
    field: Optional[str]
    es: str
    en: str
    next: NextStep
    def __init__(
        self, *, code: str, field: Optional[str], es: str, en: str, next: NextStep
    ) -> None: ...

class TestigoError(Exception):
    explanation: Explanation
    class Input(TestigoError):
        def __init__(self, explanation: Explanation) -> None: ...
    class Enrolment(TestigoError):
        def __init__(self, explanation: Explanation) -> None: ...
    class Store(TestigoError):
        def __init__(self, explanation: Explanation) -> None: ...
    class StorageFull(TestigoError):
        def __init__(self, explanation: Explanation) -> None: ...
    class Locked(TestigoError):
        wait_ms: int
        def __init__(self, explanation: Explanation, wait_ms: int) -> None: ...
    class Host(TestigoError):
        def __init__(self, explanation: Explanation) -> None: ...
    class Internal(TestigoError):
        def __init__(self, explanation: Explanation) -> None: ...

class HostError(Exception):
    class Failed(HostError):
        reason: str
        def __init__(self, reason: str) -> None: ...

class HostKey(enum.Enum):
    STORE = 0
    HISTORY = 1

class HostKeysError(Exception):
    class Gone(HostKeysError):
        def __init__(self) -> None: ...
    class Unavailable(HostKeysError):
        def __init__(self) -> None: ...

class Settings:
    burn: bool
    wipe_after: Optional[int]
    def __init__(self, *, burn: bool, wipe_after: Optional[int]) -> None: ...

class WipedView:
    undelivered_records: int
    undelivered_files: int
    def __init__(self, *, undelivered_records: int, undelivered_files: int) -> None: ...

class DetailInput:
    field: str
    value: str
    def __init__(self, *, field: str, value: str) -> None: ...

class ReportInput:
    code: int
    table: Optional[str]
    note: Optional[str]
    delay_minutes: Optional[int]
    started: Optional[str]
    ended: Optional[str]
    people: Optional[int]
    details: list[DetailInput]
    attachments: list[SealedFile]
    def __init__(
        self,
        *,
        code: int,
        table: Optional[str] = ...,
        note: Optional[str] = ...,
        delay_minutes: Optional[int] = ...,
        started: Optional[str] = ...,
        ended: Optional[str] = ...,
        people: Optional[int] = ...,
        details: list[DetailInput] = ...,
        attachments: list[SealedFile] = ...,
    ) -> None: ...

class TallyInput:
    texts: list[bytes]
    table: Optional[str]
    attachments: list[SealedFile]
    def __init__(
        self,
        *,
        texts: list[bytes],
        table: Optional[str] = ...,
        attachments: list[SealedFile] = ...,
    ) -> None: ...

class HandoverInput:
    _from: str
    to: str
    table: Optional[str]
    at: Optional[str]
    place: Optional[str]
    attachments: list[SealedFile]
    def __init__(
        self,
        *,
        _from: str,
        to: str,
        table: Optional[str] = ...,
        at: Optional[str] = ...,
        place: Optional[str] = ...,
        attachments: list[SealedFile] = ...,
    ) -> None: ...

class BundleView:
    records: int
    records_left_out: int
    files: int
    files_left_out: int
    bytes: int
    def __init__(
        self, *, records: int, records_left_out: int, files: int, files_left_out: int, bytes: int
    ) -> None: ...

class BundleCodesView:
    bundle: BundleView
    codes: list[str]
    def __init__(self, *, bundle: BundleView, codes: list[str]) -> None: ...

class ReceiptsView:
    for_this_phone: bool
    received: int
    files: int
    parked: int
    outdated: bool
    unverified: int
    def __init__(
        self,
        *,
        for_this_phone: bool,
        received: int,
        files: int,
        parked: int,
        outdated: bool,
        unverified: int,
    ) -> None: ...

def missing_codes(codes: list[bytes]) -> list[int]: ...

class Budget:
    bytes_a_day: Optional[int]
    photos_on_metered: bool
    def __init__(self, *, bytes_a_day: Optional[int], photos_on_metered: bool) -> None: ...

class RootWords:
    es: str
    en: str
    def __init__(self, *, es: str, en: str) -> None: ...

class EnrolledView:
    election: Optional[str]
    table: Optional[str]
    root_words: RootWords
    confirmation: Optional[str]
    def __init__(
        self,
        *,
        election: Optional[str],
        table: Optional[str],
        root_words: RootWords,
        confirmation: Optional[str],
    ) -> None: ...

class WarningView:
    code: int
    es: str
    en: str
    pt: str
    def __init__(self, *, code: int, es: str, en: str, pt: str) -> None: ...

class SavedView:
    sequence: int
    record_id: str
    table: Optional[str]
    warnings: list[WarningView]
    def __init__(
        self, *, sequence: int, record_id: str, table: Optional[str], warnings: list[WarningView]
    ) -> None: ...

class CandidateVotes:
    code: str
    name: str
    votes: int
    def __init__(self, *, code: str, name: str, votes: int) -> None: ...

class TallyView:
    table: str
    vouch: str
    candidates: list[CandidateVotes]
    valid_votes: int
    null_votes: int
    doubts: list[WarningView]
    def __init__(
        self,
        *,
        table: str,
        vouch: str,
        candidates: list[CandidateVotes],
        valid_votes: int,
        null_votes: int,
        doubts: list[WarningView],
    ) -> None: ...

class TallyReading:
    class READ(TallyReading):
        tally: TallyView
        def __init__(self, tally: TallyView) -> None: ...
    class NOT_A_TALLY(TallyReading):
        es: str
        en: str
        def __init__(self, es: str, en: str) -> None: ...

class TypingSlotView:
    party: str
    candidate: str
    def __init__(self, *, party: str, candidate: str) -> None: ...

class TypingFormView:
    slots: list[TypingSlotView]
    blank: bool
    null_votes: bool
    total: bool
    def __init__(
        self, *, slots: list[TypingSlotView], blank: bool, null_votes: bool, total: bool
    ) -> None: ...

class TypedSheet:
    table: str
    votes: list[int]
    blank: Optional[int]
    null_votes: Optional[int]
    total: Optional[int]
    printed_hash: Optional[str]
    machine_code: Optional[str]
    def __init__(
        self,
        *,
        table: str,
        votes: list[int],
        blank: Optional[int] = ...,
        null_votes: Optional[int] = ...,
        total: Optional[int] = ...,
        printed_hash: Optional[str] = ...,
        machine_code: Optional[str] = ...,
    ) -> None: ...

class TypedInput:
    first: TypedSheet
    second: TypedSheet
    attachments: list[SealedFile]
    def __init__(
        self, *, first: TypedSheet, second: TypedSheet, attachments: list[SealedFile] = ...
    ) -> None: ...

class TypedDifference:
    field: str
    es: str
    en: str
    def __init__(self, *, field: str, es: str, en: str) -> None: ...

class SavedTallyView:
    saved: SavedView
    reading: TallyReading
    def __init__(self, *, saved: SavedView, reading: TallyReading) -> None: ...

class StatusView:
    enrolled: bool
    enrolment_delivered: bool
    election: Optional[str]
    practice: bool
    table: Optional[str]
    root_words: Optional[RootWords]
    confirmation: Optional[str]
    has_pin: bool
    locked: bool
    queued: int
    queued_bytes: int
    attachments_queued: int
    attachment_bytes: int
    delivered: int
    parked: int
    last_contact: Optional[str]
    syncing: bool
    def __init__(
        self,
        *,
        enrolled: bool,
        enrolment_delivered: bool,
        election: Optional[str],
        practice: bool = ...,
        table: Optional[str],
        root_words: Optional[RootWords],
        confirmation: Optional[str],
        has_pin: bool,
        locked: bool,
        queued: int,
        queued_bytes: int,
        attachments_queued: int,
        attachment_bytes: int,
        delivered: int,
        parked: int,
        last_contact: Optional[str],
        syncing: bool,
    ) -> None: ...

class RecordView:
    class REPORT(RecordView):
        code: int
        label_es: str
        label_en: str
        label_pt: str
        note: Optional[str]
        delay_minutes: Optional[int]
        started: Optional[str]
        ended: Optional[str]
        people: Optional[int]
        details: list[DetailView]
        def __init__(
            self,
            code: int,
            label_es: str,
            label_en: str,
            label_pt: str,
            note: Optional[str],
            delay_minutes: Optional[int],
            started: Optional[str],
            ended: Optional[str],
            people: Optional[int],
            details: list[DetailView],
        ) -> None: ...
    class TALLY(RecordView):
        reading: TallyReading
        def __init__(self, reading: TallyReading) -> None: ...
    class HANDOVER(RecordView):
        bundle: bool
        _from: Optional[str]
        to: Optional[str]
        place: Optional[str]
        def __init__(
            self, bundle: bool, _from: Optional[str], to: Optional[str], place: Optional[str]
        ) -> None: ...
    class OTHER(RecordView):
        kind: int
        def __init__(self, kind: int) -> None: ...

class DeliveryView:
    class QUEUED(DeliveryView):
        def __init__(self) -> None: ...
    class RECEIVED(DeliveryView):
        received_at: str
        attachments_left: int
        def __init__(self, received_at: str, attachments_left: int) -> None: ...
    class DELIVERED(DeliveryView):
        received_at: str
        def __init__(self, received_at: str) -> None: ...
    class PARKED(DeliveryView):
        es: str
        en: str
        def __init__(self, es: str, en: str) -> None: ...

class ContentView:
    record_id: str
    saved_at: str
    table: Optional[str]
    record: RecordView
    warnings: list[WarningView]
    def __init__(
        self,
        *,
        record_id: str,
        saved_at: str,
        table: Optional[str],
        record: RecordView,
        warnings: list[WarningView],
    ) -> None: ...

class HistoryView:
    sequence: int
    content: Optional[ContentView]
    delivery: DeliveryView
    def __init__(
        self,
        *,
        sequence: int,
        content: Optional[ContentView],
        delivery: DeliveryView,
    ) -> None: ...

class SyncOutcome:
    class DONE(SyncOutcome):
        def __init__(self) -> None: ...
    class STOPPED(SyncOutcome):
        def __init__(self) -> None: ...
    class FAILED(SyncOutcome):
        code: str
        es: str
        en: str
        retry_after_s: Optional[int]
        def __init__(
            self, code: str, es: str, en: str, retry_after_s: Optional[int]
        ) -> None: ...

class RecoveredView:
    aside: str
    records: int
    gaps: int
    same_device: bool
    def __init__(
        self, *, aside: str, records: int, gaps: int, same_device: bool
    ) -> None: ...

class SyncReportView:
    delivered: int
    confirmed: int
    parked: int
    remaining: int
    attachments_delivered: int
    attachments_remaining: int
    attachments_missing: int
    requests: int
    bytes_sent: int
    held_back: int
    held_for_cost: int
    next_attempt_ms: Optional[int]
    outcome: SyncOutcome
    def __init__(
        self,
        *,
        delivered: int,
        confirmed: int,
        parked: int,
        remaining: int,
        attachments_delivered: int,
        attachments_remaining: int,
        attachments_missing: int,
        requests: int,
        bytes_sent: int,
        held_back: int,
        held_for_cost: int,
        next_attempt_ms: Optional[int],
        outcome: SyncOutcome,
    ) -> None: ...

class TextsView:
    es: str
    en: str
    pt: str
    def __init__(self, *, es: str, en: str, pt: str) -> None: ...

class DetailKind(enum.Enum):
    NUMBER = 0
    TIME = 1
    TEXT = 2
    CHOICE = 3

class ChoiceView:
    value: str
    label: TextsView
    def __init__(self, *, value: str, label: TextsView) -> None: ...

class DetailFieldView:
    name: str
    kind: DetailKind
    required: bool
    label: TextsView
    choices: list[ChoiceView]
    def __init__(
        self,
        *,
        name: str,
        kind: DetailKind,
        required: bool,
        label: TextsView,
        choices: list[ChoiceView],
    ) -> None: ...

class DetailView:
    field: str
    label: TextsView
    value: str
    def __init__(self, *, field: str, label: TextsView, value: str) -> None: ...

class CatalogueEntryView:
    code: int
    phase: Phase
    phase_es: str
    phase_en: str
    severity: Severity
    phase_pt: str
    es: str
    en: str
    pt: str
    advice: TextsView
    fields: list[DetailFieldView]
    photo: bool
    def __init__(
        self,
        *,
        code: int,
        phase: Phase,
        phase_es: str,
        phase_en: str,
        severity: Severity,
        phase_pt: str,
        es: str,
        en: str,
        pt: str,
        advice: TextsView,
        fields: list[DetailFieldView],
        photo: bool,
    ) -> None: ...

class ElectionView:
    name: str
    date: str
    time_zone: str
    utc_offset: Optional[int]
    languages: list[str]
    practice: bool
    def __init__(
        self,
        *,
        name: str,
        date: str,
        time_zone: str,
        utc_offset: Optional[int],
        languages: list[str],
        practice: bool,
    ) -> None: ...

class TableView:
    table: str
    registered: int
    areas: list[str]
    levels: list[TextsView]
    centre: str
    centre_name: str
    address: str
    def __init__(
        self,
        *,
        table: str,
        registered: int,
        areas: list[str],
        levels: list[TextsView],
        centre: str,
        centre_name: str,
        address: str,
    ) -> None: ...

class Point:
    x: int
    y: int
    def __init__(self, *, x: int, y: int) -> None: ...

class CodeView:
    bytes: builtins.bytes
    text: Optional[str]
    corners: list[Point]
    def __init__(
        self, *, bytes: builtins.bytes, text: Optional[str], corners: list[Point]
    ) -> None: ...

class PhoneObserver:
    """To be derived from: `on_status` is called after every change, on any thread."""

    def on_status(self, status: StatusView) -> None: ...

class HostKeys:
    """To be derived from: the platform's key store. It must not call the phone."""

    def wrap(self, key: HostKey, secret: bytes) -> bytes: ...
    def unwrap(self, key: HostKey, wrapped: bytes) -> bytes: ...
    def destroy(self, key: HostKey) -> None: ...

class Logger:
    """To be derived from: `log` is called for each line of the log, on any thread."""

    def log(self, level: LogLevel, target: str, message: str) -> None: ...

class Observation:
    def stop(self) -> None: ...

class SealedFile:
    def warnings(self) -> list[WarningView]: ...

class SyncStop:
    def __init__(self) -> None: ...
    def stop(self) -> None: ...

class Phone:
    @classmethod
    def create(cls, directory: str, database_key: bytes) -> Phone: ...
    @classmethod
    def open(cls, directory: str, database_key: bytes) -> Phone: ...
    @classmethod
    def create_under(cls, directory: str, keys: HostKeys) -> Phone: ...
    @classmethod
    def open_under(cls, directory: str, keys: HostKeys) -> Phone: ...
    def has_pin(self) -> bool: ...
    def is_locked(self) -> bool: ...
    def lock(self) -> None: ...
    def unlock(self, pin: str) -> None: ...
    def set_pin(self, pin: str) -> None: ...
    def change_pin(self, pin: str, new: str) -> None: ...
    def remove_pin(self, pin: str) -> None: ...
    def set_duress_pin(self, pin: str, duress: str, alarm: bool) -> None: ...
    def remove_duress_pin(self, pin: str) -> None: ...
    def settings(self) -> Settings: ...
    def set_settings(self, settings: Settings) -> None: ...
    def wipe(self) -> WipedView: ...
    def enrol(self, code: str, keyset: bytes, pack: Optional[bytes]) -> EnrolledView: ...
    def report(self, input: ReportInput) -> SavedView: ...
    def tally(self, input: TallyInput) -> SavedTallyView: ...
    def catalogue(self) -> list[CatalogueEntryView]: ...
    def election(self) -> Optional[ElectionView]: ...
    def table(self, id: str) -> Optional[TableView]: ...
    def typing_form(self) -> Optional[TypingFormView]: ...
    def typed(self, input: TypedInput) -> SavedTallyView: ...
    def bundle(self, path: str) -> Optional[BundleView]: ...
    def bundle_codes(self) -> Optional[BundleCodesView]: ...
    def carry(self, path: str) -> SavedView: ...
    def carry_codes(self, codes: list[bytes]) -> SavedView: ...
    def import_receipts(self, path: str) -> ReceiptsView: ...
    def hand_over(self, input: HandoverInput) -> SavedView: ...
    def seal_file(self, path: str, kind: AttachmentKind) -> SealedFile: ...
    def seal_descriptor(self, descriptor: int, kind: AttachmentKind) -> SealedFile: ...
    def budget(self) -> Budget: ...
    def set_budget(self, budget: Budget) -> None: ...
    def read_tally(self, texts: list[bytes]) -> TallyReading: ...
    def status(self) -> StatusView: ...
    def history(self) -> list[HistoryView]: ...
    def observe(self, observer: PhoneObserver) -> Observation: ...
    async def sync(
        self, stop: Optional[SyncStop] = ..., metered: bool = ...
    ) -> SyncReportView: ...

class Scanner:
    def __init__(self) -> None: ...
    def scan(
        self, frame: bytes, width: int, height: int, stride: int, rotation: Rotation
    ) -> list[CodeView]: ...

def catalogue() -> list[CatalogueEntryView]: ...
def language_from_tag(tag: str) -> Optional[Language]: ...
def keep_key_under(directory: str, database_key: bytes, keys: HostKeys) -> None: ...
def library_version() -> str: ...
def phone_exists(directory: str) -> bool: ...
def recover_store(
    directory: str, database_key: bytes, key_is_right: bool
) -> RecoveredView: ...
def recover_store_under(
    directory: str, keys: HostKeys, key_is_right: bool
) -> RecoveredView: ...
def typed_differences(first: TypedSheet, second: TypedSheet) -> list[TypedDifference]: ...
def wipe_folder(directory: str) -> None: ...
def wipe_folder_under(directory: str, keys: HostKeys) -> None: ...
def set_logger(logger: Logger, max_level: LogLevel) -> None: ...
