//! Joins texts that may grow concurrently into the one text of a completion.

use std::collections::VecDeque;

use agent_schemas::{Content, DecodeError, Status};
use agent_server::protocol::{EscapedText, TextDelta};

/// Joins texts one after another: a text that grows after the first open one waits for its end.
///
/// A line break separates the contents of a message, a blank line messages. A text that was interrupted because its
/// process died is continued by one with the same beginning, as agents write it when they start over.
#[derive(Debug, Default)]
pub(super) struct Texts {
    open: VecDeque<Part>,
    /// The written part of a text that was cut off.
    torn: String,
    /// The message of the last written text.
    last: Option<String>,
}

/// A content whose text has not been written completely.
#[derive(Debug, Default)]
struct Part {
    msg_id: String,
    index: Option<i64>,
    text: String,
    /// The number of its bytes written so far.
    written: usize,
    is_whole: bool,
    is_torn: bool,
}

impl Texts {
    /// Handles an update of a content with this text, and returns what to write now.
    pub(super) fn take(&mut self, content: &Content, text: &str) -> String {
        let part = self.part(content);
        if content.delta == Some(true) {
            part.text.push_str(text);
        } else if let Some(rest) = text.get(part.written..)
            && text.starts_with(&part.text[..part.written])
        {
            part.text.truncate(part.written);
            part.text.push_str(rest);
        }
        // Written text cannot be taken back: if the text changed, the written part stays.
        part.is_whole = content.status.as_ref().is_some_and(Status::is_final);
        part.is_torn = content.status == Some(Status::Incomplete);
        self.write()
    }

    /// Whether a delta belongs to the text that is being written, so that it can be relayed.
    pub(super) fn is_next(&self, delta: &TextDelta<'_>) -> bool {
        self.open.front().is_some_and(|part| {
            let is_it = part.msg_id == delta.msg_id && part.index == Some(delta.index);
            is_it && !part.is_whole && part.written > 0 && part.written == part.text.len()
        })
    }

    /// Appends a delta if [`Self::is_next`], and returns the added text.
    pub(super) fn append(&mut self, text: EscapedText<'_>) -> Result<&str, DecodeError> {
        let Some(part) = self.open.front_mut() else { return Ok("") };
        text.append_to(&mut part.text)?;
        let before = std::mem::replace(&mut part.written, part.text.len());
        Ok(&part.text[before..])
    }

    fn part(&mut self, content: &Content) -> &mut Part {
        let msg_id = content.msg_id.as_deref().unwrap_or_default();
        let is_it = |part: &Part| part.msg_id == msg_id && part.index == content.index;
        let at = self.open.iter().position(is_it).unwrap_or_else(|| {
            let (msg_id, index) = (msg_id.to_owned(), content.index);
            self.open.push_back(Part { msg_id, index, ..Part::default() });
            self.open.len() - 1
        });
        &mut self.open[at]
    }

    fn write(&mut self) -> String {
        let mut out = String::new();
        while let Some(part) = self.open.front_mut() {
            if part.written == 0 && !self.torn.is_empty() && !part.text.is_empty() {
                if part.text.starts_with(&self.torn) {
                    part.written = self.torn.len();
                    self.last = Some(part.msg_id.clone());
                } else if self.torn.starts_with(&part.text) && !part.is_whole {
                    break;
                }
                self.torn.clear();
            }
            let rest = &part.text[part.written..];
            if !rest.is_empty() {
                if part.written == 0 {
                    match &self.last {
                        Some(last) if *last == part.msg_id => out.push('\n'),
                        Some(_) => out.push_str("\n\n"),
                        None => {}
                    }
                    self.last = Some(part.msg_id.clone());
                }
                out.push_str(rest);
                part.written = part.text.len();
            }
            if !part.is_whole {
                break;
            }
            if part.is_torn {
                self.torn.clone_from(&part.text);
            }
            self.open.pop_front();
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use agent_schemas::Content;

    use super::*;

    /// Handles `message index text`, with `+` before a text that continues, `!` before a complete one, and `~`
    /// before one that was cut off. Checks what is written after each.
    fn check(news: &[&str], expected: &[&str]) {
        let mut texts = Texts::default();
        let written: Vec<String> = news
            .iter()
            .map(|line| {
                let mut words = line.splitn(3, ' ');
                let mut content = Content::text("");
                content.msg_id = words.next().map(str::to_owned);
                content.index = words.next().and_then(|index| index.parse().ok());
                let text = words.next().expect("a text");
                match text.strip_prefix('+') {
                    Some(more) => {
                        content.delta = Some(true);
                        texts.take(&content, more)
                    }
                    None => {
                        content.completed();
                        if text.starts_with('~') {
                            content.status = Some(Status::Incomplete);
                        }
                        texts.take(&content, text.trim_start_matches(['!', '~']))
                    }
                }
            })
            .collect();
        assert_eq!(written, expected);
    }

    #[test]
    fn texts__deltas__are_written_with_separators() {
        check(&["a 0 +one", "a 0 + two", "a 0 !one two"], &["one", " two", ""]);
        check(&["a 0 !one", "a 1 +two", "a 1 !two", "b 0 !three"], &["one", "\ntwo", "", "\n\nthree"]);
        check(&["a 0 !", "b 0 !one"], &["", "one"]);
    }

    #[test]
    fn texts__concurrent_content__waits_its_turn() {
        check(
            &["a 0 +one", "b 0 +two", "a 0 + more", "b 0 !two!", "a 0 !one more."],
            &["one", "", " more", "", ".\n\ntwo!"],
        );
    }

    #[test]
    fn texts__replaced_content__keeps_what_was_written() {
        check(&["a 0 +one", "a 0 !other", "b 0 !two"], &["one", "", "\n\ntwo"]);
    }

    #[test]
    fn texts__interrupted_content__is_continued() {
        check(
            &["a 0 +one t", "a 0 ~one t", "b 0 +one", "b 0 + two", "b 0 !one two"],
            &["one t", "", "", "wo", ""],
        );
        check(&["a 0 +one", "a 0 ~one", "b 0 +o", "b 0 +ther"], &["one", "", "", "\n\nother"]);
        check(&["a 0 +one", "a 0 ~one", "b 0 !o"], &["one", "", "\n\no"]);
    }
}
