//! Renames ids and times: upstream's transcripts have placeholders for them, and ours are new in each run.

use agent_schemas::Json;

/// The placeholders of the transcripts, and the prefixes of the ids that they replace.
const PLACEHOLDERS: [(&str, &str); 4] =
    [("<msg_id", "msg_"), ("<response_id", "response_"), ("<session_id", ""), ("<uuid", "")];

/// The names assigned so far, by first appearance.
#[derive(Default)]
pub(super) struct Names(Vec<String>);

impl Names {
    pub(super) fn rename(&mut self, json: &mut Json) {
        match json {
            Json::String(text) => *text = self.renamed(text),
            Json::Array(items) => items.iter_mut().for_each(|item| self.rename(item)),
            Json::Object(members) => {
                for (key, value) in members {
                    let is_time = matches!(key.as_str(), "created_at" | "completed_at") && !value.is_null();
                    if is_time {
                        *value = Json::from("<time>");
                    } else {
                        self.rename(value);
                    }
                }
            }
            _ => {}
        }
    }

    fn name(&mut self, id: &str) -> String {
        let known = self.0.iter().position(|known| known == id);
        let number = known.unwrap_or_else(|| {
            self.0.push(id.to_owned());
            self.0.len() - 1
        });
        format!("<{number}>")
    }

    fn renamed(&mut self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            if let Some((prefix, length)) = placeholder(rest) {
                out += prefix;
                out += &self.name(&rest[..length]);
                rest = &rest[length..];
            } else if is_uuid(rest.as_bytes()) {
                out += &self.name(&rest[..UUID]);
                rest = &rest[UUID..];
            } else {
                out.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
        out
    }
}

fn placeholder(text: &str) -> Option<(&'static str, usize)> {
    let (_, prefix) = PLACEHOLDERS.into_iter().find(|(start, _)| text.starts_with(start))?;
    Some((prefix, text.find('>')? + 1))
}

const UUID: usize = 36;

fn is_uuid(bytes: &[u8]) -> bool {
    bytes.len() >= UUID
        && bytes[..UUID].iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
