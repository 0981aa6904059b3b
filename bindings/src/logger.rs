use crate::{HostError, TestigoError};
use std::cell::Cell;
use std::fmt::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Metadata, Subscriber, span};

/// How much a line of the log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something was refused.
    Warn,
    /// What happens.
    Info,
    /// For who works on the library.
    Debug,
    /// Every step.
    Trace,
}

/// Where the library's log goes. Its lines carry counts and codes: no name, no note, no table, no key.
#[uniffi::export(with_foreign)]
pub trait Logger: Send + Sync {
    /// One line: called on any thread.
    ///
    /// # Errors
    /// One that fails is passed over.
    fn log(&self, level: LogLevel, target: String, message: String) -> Result<(), HostError>;
}

/// Sends the log to this logger in place of the one before, from this level on. A first line with the
/// library's version goes out at once.
///
/// # Errors
/// `Host` where the logger fails at that line; the one before is then kept. `Internal` where the process
/// has another log already.
#[uniffi::export]
pub fn set_logger(logger: Arc<dyn Logger>, max_level: LogLevel) -> Result<(), TestigoError> {
    let forward = forward()?;
    let hello = format!("testigo {}", crate::library_version());
    logger
        .log(LogLevel::Info, "testigo".to_owned(), hello)
        .map_err(|_| TestigoError::host())?;
    let before = {
        let mut sink = forward.sink.write().unwrap_or_else(PoisonError::into_inner);
        sink.replace(Sink { logger, max_level })
    };
    tracing::callsite::rebuild_interest_cache();
    // Letting go of a foreign object calls the foreign language: not under the lock.
    drop(before);
    Ok(())
}

/// The one log of the process, once it is in place.
fn forward() -> Result<Arc<Forward>, TestigoError> {
    static FORWARD: OnceLock<Option<Arc<Forward>>> = OnceLock::new();
    FORWARD
        .get_or_init(|| {
            let forward = Arc::new(Forward::default());
            tracing::subscriber::set_global_default(forward.clone()).ok()?;
            Some(forward)
        })
        .clone()
        .ok_or_else(|| TestigoError::internal("log-taken"))
}

#[derive(Default)]
struct Forward {
    sink: RwLock<Option<Sink>>,
}

#[derive(Clone)]
struct Sink {
    logger: Arc<dyn Logger>,
    max_level: LogLevel,
}

thread_local! {
    /// This thread is within the logger: what happens there is not logged again.
    static LOGGING: Cell<bool> = const { Cell::new(false) };
}

impl Forward {
    fn sink(&self) -> Option<Sink> {
        let sink = self.sink.read().unwrap_or_else(PoisonError::into_inner);
        sink.clone()
    }

    fn level(&self) -> LevelFilter {
        self.sink()
            .map_or(LevelFilter::OFF, |sink| sink.max_level.into())
    }
}

impl Subscriber for Forward {
    /// The library's own lines only: what libraries below it say may name addresses.
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
            && metadata.target().starts_with("testigo")
            && *metadata.level() <= self.level()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level())
    }

    fn event(&self, event: &Event<'_>) {
        let Some(sink) = self.sink() else { return };
        if LOGGING.replace(true) {
            return;
        }
        let mut line = Line::default();
        event.record(&mut line);
        let metadata = event.metadata();
        let level = LogLevel::from(*metadata.level());
        // There is nobody left to tell of a logger that fails.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            (sink.logger).log(level, metadata.target().to_owned(), line.text())
        }));
        LOGGING.set(false);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Line {
    said: String,
    fields: String,
}

impl Line {
    fn text(self) -> String {
        self.said + &self.fields
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string does not fail.
        let _ = match field.name() {
            "message" => write!(self.said, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::ERROR => Self::Error,
            Level::WARN => Self::Warn,
            Level::INFO => Self::Info,
            Level::DEBUG => Self::Debug,
            Level::TRACE => Self::Trace,
        }
    }
}
