//! The output: the answer on standard output, everything else on standard error, kept apart even if both are
//! the same terminal.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Stderr, Stdout, Write};

const DIM: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";

/// Two places to write to.
#[derive(Debug)]
pub(crate) struct Screen<O, E> {
    answer: Channel<O>,
    notes: Channel<E>,
    /// The prefix of the notes' unfinished line; `None` at the start of a line.
    open_note: Option<&'static str>,
    /// The answer has an unfinished line.
    open_answer: bool,
    /// Notes are dimmed.
    dims: bool,
}

#[derive(Debug)]
struct Channel<W> {
    to: W,
    is_terminal: bool,
}

impl<W: Write> Channel<W> {
    /// Writes a text; control characters are made visible on a terminal.
    fn write(&mut self, text: &str) -> io::Result<()> {
        let text = if self.is_terminal { visible(text) } else { Cow::Borrowed(text) };
        self.to.write_all(text.as_bytes())
    }
}

impl Screen<Stdout, Stderr> {
    /// The program's own standard output and standard error.
    pub(crate) fn standard(may_dim: bool) -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let terminals = (out.is_terminal(), err.is_terminal());
        Screen::new(out, err, terminals, may_dim)
    }
}

impl<O: Write, E: Write> Screen<O, E> {
    /// A screen of these two; `terminals` says which of them are terminals.
    pub(super) fn new(out: O, err: E, terminals: (bool, bool), may_dim: bool) -> Self {
        Screen {
            answer: Channel { to: out, is_terminal: terminals.0 },
            notes: Channel { to: err, is_terminal: terminals.1 },
            open_note: None,
            open_answer: false,
            dims: terminals.1 && may_dim,
        }
    }

    /// Writes a part of the answer.
    pub(super) fn answer(&mut self, text: &str) -> io::Result<()> {
        if let Some(last) = text.chars().next_back() {
            self.end_note()?;
            self.answer.write(text)?;
            self.open_answer = last != '\n';
        }
        Ok(())
    }

    /// Ends the answer's line.
    pub(super) fn end_answer(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.open_answer) {
            self.answer.write("\n")?;
        }
        Ok(())
    }

    /// Writes a separate line.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        self.break_lines()?;
        self.notes.write(text)?;
        self.notes.write("\n")
    }

    /// Writes a separate, dimmed line.
    pub(crate) fn note(&mut self, text: &str) -> io::Result<()> {
        self.break_lines()?;
        self.dimmed(text)?;
        self.notes.write("\n")
    }

    /// Writes a part of a dimmed text; each of its lines begins with the prefix.
    pub(super) fn note_part(&mut self, prefix: &'static str, text: &str) -> io::Result<()> {
        if self.open_note != Some(prefix) {
            self.break_lines()?;
        }
        for line in text.split_inclusive('\n') {
            if self.open_note.is_none() {
                self.dimmed(prefix)?;
            }
            let ended = line.strip_suffix('\n');
            self.dimmed(ended.unwrap_or(line))?;
            self.open_note = Some(prefix);
            if ended.is_some() {
                self.end_note()?;
            }
        }
        Ok(())
    }

    /// Ends the line of a text that was written in parts.
    pub(super) fn end_note(&mut self) -> io::Result<()> {
        if self.open_note.take().is_some() {
            self.notes.write("\n")?;
        }
        Ok(())
    }

    /// Writes the prompt.
    pub(super) fn prompt(&mut self, prompt: &str) -> io::Result<()> {
        self.break_lines()?;
        self.notes.write(prompt)?;
        self.flush()
    }

    /// Writes a line of data to the answer's stream.
    pub(crate) fn data(&mut self, line: &str) -> io::Result<()> {
        self.answer.write(line)?;
        self.answer.write("\n")
    }

    /// Flushes the output.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.answer.to.flush()?;
        self.notes.to.flush()
    }

    fn dimmed(&mut self, text: &str) -> io::Result<()> {
        if !self.dims || text.is_empty() {
            return self.notes.write(text);
        }
        // Not through `write`, which would make the escapes visible.
        self.notes.to.write_all(DIM.as_bytes())?;
        self.notes.write(text)?;
        self.notes.to.write_all(RESET.as_bytes())
    }

    /// Moves to the start of a line on the terminal. If the answer goes elsewhere, nothing is added to it.
    fn break_lines(&mut self) -> io::Result<()> {
        self.end_note()?;
        if self.answer.is_terminal && self.notes.is_terminal && std::mem::take(&mut self.open_answer) {
            // The two have separate buffers, so flushing the first keeps the order.
            self.answer.to.flush()?;
            self.notes.write("\n")?;
        }
        Ok(())
    }
}

/// Shows control characters, so that a model or a tool cannot control the terminal.
fn visible(text: &str) -> Cow<'_, str> {
    let is_harmless = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    if text.chars().all(is_harmless) {
        return Cow::Borrowed(text);
    }
    let picture = |c: char| match u32::from(c) {
        _ if is_harmless(c) => Some(c),
        // Of a two-character line ending, the second is enough.
        0x0d => None,
        code @ 0..0x20 => char::from_u32(0x2400 + code),
        _ => Some(char::REPLACEMENT_CHARACTER),
    };
    Cow::Owned(text.chars().filter_map(picture).collect())
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    /// A writer whose output can be read while it is written.
    #[derive(Clone, Debug, Default)]
    pub(in super::super) struct Sheet(Rc<RefCell<Vec<u8>>>);

    impl Sheet {
        pub(in super::super) fn text(&self) -> String {
            String::from_utf8(self.0.borrow().clone()).expect("text")
        }
    }

    impl Write for Sheet {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn script<O: Write, E: Write>(screen: &mut Screen<O, E>) -> io::Result<()> {
        screen.note_part("[reasoning] ", "Let me")?;
        screen.note_part("[reasoning] ", " see.\nYes")?;
        screen.answer("Half ")?;
        screen.note("[tool] clock {}")?;
        screen.answer("and half\u{1b}[31m")?;
        screen.end_answer()?;
        screen.answer("A line\n")?;
        screen.end_answer()?;
        screen.line("error X: y")
    }

    #[test]
    fn screen__one_terminal__separates_lines() {
        let sheet = Sheet::default();
        let mut screen = Screen::new(sheet.clone(), sheet.clone(), (true, true), false);
        script(&mut screen).expect("written");
        assert_eq!(
            sheet.text(),
            "[reasoning] Let me see.\n[reasoning] Yes\nHalf \n[tool] clock {}\nand half␛[31m\nA line\nerror X: y\n"
        );
    }

    #[test]
    fn screen__piped_output__gets_answer_unchanged() {
        let (out, err) = (Sheet::default(), Sheet::default());
        let mut screen = Screen::new(out.clone(), err.clone(), (false, true), true);
        script(&mut screen).expect("written");
        assert_eq!(out.text(), "Half and half\u{1b}[31m\nA line\n");
        assert!(err.text().starts_with("\x1b[2m[reasoning] \x1b[0m\x1b[2mLet me\x1b[0m"), "{:?}", err.text());
        assert!(err.text().ends_with("\x1b[2m[tool] clock {}\x1b[0m\nerror X: y\n"), "{:?}", err.text());
    }

    #[test]
    fn visible__control_characters__are_replaced() {
        assert_eq!(visible("a\tb\r\nc\u{7f}\u{9b}\u{7}"), "a\tb\nc\u{fffd}\u{fffd}␇");
    }
}
