//! Lines of standard input, read on request by a thread that may be left behind when the program ends.

use std::io::{self, BufRead};
use std::sync::mpsc;

use tokio::sync::mpsc as channel;

/// Standard input, line by line.
#[derive(Debug)]
pub(super) struct Lines {
    wanted: mpsc::Sender<()>,
    read: channel::UnboundedReceiver<io::Result<Option<String>>>,
    /// A line has been requested and not yet taken.
    is_asked: bool,
}

impl Lines {
    /// Starts reading when the first line is requested.
    pub(super) fn of_stdin() -> Self {
        let (wanted, wishes) = mpsc::channel();
        let (sender, read) = channel::unbounded_channel();
        // Not a task: a runtime waits for blocking tasks, and a read from a terminal may never end.
        std::thread::spawn(move || {
            let mut input = io::stdin().lock();
            while wishes.recv().is_ok() {
                if sender.send(next_line(&mut input)).is_err() {
                    return;
                }
            }
        });
        Lines { wanted, read, is_asked: false }
    }

    /// The next line without its end; `None` at the end of the input. A call that is dropped loses no line.
    pub(super) async fn next(&mut self) -> io::Result<Option<String>> {
        if !self.is_asked {
            self.is_asked = self.wanted.send(()).is_ok();
        }
        let line = self.read.recv().await.unwrap_or(Ok(None));
        self.is_asked = false;
        line
    }
}

fn next_line(input: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    if input.read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_line__any_line_ending__is_stripped() {
        let mut input: &[u8] = b"a \r\n\n\xff\nend";
        let mut lines = Vec::new();
        while let Some(line) = next_line(&mut input).expect("memory can be read") {
            lines.push(line);
        }
        assert_eq!(lines, ["a ", "", "\u{fffd}", "end"]);
    }
}
