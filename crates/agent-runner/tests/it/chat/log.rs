//! What is logged on a test's thread.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Once;

thread_local! {
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The log of this thread, from here on. The test's tasks must stay on its thread.
pub(crate) struct Log(());

impl Log {
    pub(crate) fn start() -> Self {
        static INSTALL: Once = Once::new();
        // For all threads: otherwise tracing may remember of a thread without a subscriber that nobody is interested.
        INSTALL.call_once(|| tracing_subscriber::fmt().with_ansi(false).with_writer(|| Lines).init());
        LINES.with_borrow_mut(Vec::clear);
        Log(())
    }

    pub(crate) fn text(&self) -> String {
        LINES.with_borrow(|lines| String::from_utf8_lossy(lines).into_owned())
    }

    /// Checks that the log has these texts.
    #[track_caller]
    pub(crate) fn check(&self, texts: &[&str]) {
        let log = self.text();
        for text in texts {
            assert!(log.contains(text), "{text:?} is missing in {log}");
        }
    }
}

struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
