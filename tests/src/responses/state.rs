//! The state of a reader of a stream.

use serde_json::Value;

use super::members::{Is, check, check_item, check_part, check_response};

type Checked = Result<(), String>;

#[derive(Debug, Default)]
pub(super) struct Stream {
    numbers: u64,
    id: Option<String>,
    is_in_progress: bool,
    items: Vec<Item>,
    last: Option<Value>,
}

#[derive(Debug)]
struct Item {
    id: String,
    kind: String,
    parts: Vec<Part>,
    /// The arguments of a call from its deltas, and their final value.
    told: String,
    whole: Option<String>,
    /// The stage of an MCP call or an image.
    stage: Option<String>,
    done: Option<Value>,
}

#[derive(Debug)]
struct Part {
    kind: String,
    told: String,
    whole: Option<String>,
    done: Option<Value>,
}

/// The text of a part, by the part's type.
fn text_member(kind: &str) -> &'static str {
    if kind == "refusal" { "refusal" } else { "text" }
}

impl Stream {
    pub(super) fn take(&mut self, event: &Value) -> Checked {
        check(event, &[("type", Is::Text), ("sequence_number", Is::Number)])?;
        if event["sequence_number"] != self.numbers {
            return Err(format!("it should have the number {}", self.numbers));
        }
        self.numbers += 1;
        if self.last.is_some() {
            return Err("it follows a terminal event".to_owned());
        }
        let name = event["type"].as_str().unwrap_or_default();
        let name = name.strip_prefix("response.").unwrap_or_default();
        if (self.id.is_none()) != (name == "created") {
            return Err("response.created comes first, and once".to_owned());
        }
        match name {
            "created" | "queued" | "in_progress" => self.lifecycle(name, event),
            "completed" | "failed" | "incomplete" => self.end(name, event),
            "output_item.added" => self.begin(event),
            "output_item.done" => self.item(event, None)?.end(event),
            "content_part.added" => self.item(event, None)?.begin_part(event),
            "content_part.done" => self.part(event)?.end(event),
            "output_text.delta" | "output_text.done" => {
                check(event, &[("logprobs", Is::List)])?;
                self.text(event, "output_text", name)
            }
            "refusal.delta" | "refusal.done" => self.text(event, "refusal", name),
            "reasoning_text.delta" | "reasoning_text.done" => self.text(event, "reasoning_text", name),
            "function_call_arguments.delta" => self.item(event, Some("function_call"))?.grow(event),
            "function_call_arguments.done" => {
                check(event, &[("name", Is::Text)])?;
                self.item(event, Some("function_call"))?.be_whole(event, "arguments")
            }
            "custom_tool_call_input.delta" => self.item(event, Some("custom_tool_call"))?.grow(event),
            "custom_tool_call_input.done" => {
                self.item(event, Some("custom_tool_call"))?.be_whole(event, "input")
            }
            "mcp_call_arguments.delta" => self.item(event, Some("mcp_call"))?.grow(event),
            "mcp_call_arguments.done" => self.item(event, Some("mcp_call"))?.be_whole(event, "arguments"),
            _ => match name.split_once('.') {
                Some((kind @ ("mcp_call" | "mcp_list_tools" | "image_generation_call"), stage)) => {
                    self.item(event, Some(kind))?.be_at(stage)
                }
                _ => Err("there are no such events".to_owned()),
            },
        }
    }

    fn lifecycle(&mut self, name: &str, event: &Value) -> Checked {
        self.snapshot(event)?;
        let status = event["response"]["status"].as_str().unwrap_or_default();
        let fits = match name {
            "created" => self.numbers == 1 && matches!(status, "queued" | "in_progress"),
            "queued" => !self.is_in_progress && status == "queued",
            _ => !self.is_in_progress && status == "in_progress",
        };
        self.is_in_progress |= name == "in_progress";
        if fits && self.items.is_empty() { Ok(()) } else { Err("it is out of its place".to_owned()) }
    }

    /// Checks the response of an event, which must be the same one in all events.
    fn snapshot(&mut self, event: &Value) -> Checked {
        let response = &event["response"];
        check_response(response)?;
        let id = response["id"].as_str().unwrap_or_default();
        if self.id.get_or_insert_with(|| id.to_owned()) == id {
            Ok(())
        } else {
            Err("it is of another response".to_owned())
        }
    }

    fn end(&mut self, name: &str, event: &Value) -> Checked {
        self.snapshot(event)?;
        let response = &event["response"];
        let status = response["status"].as_str().unwrap_or_default();
        // A cancelled response ends with the closest existing event.
        if status != name && (name, status) != ("incomplete", "cancelled") {
            return Err("its status belongs to another event".to_owned());
        }
        let done: Option<Vec<Value>> = self.items.iter().map(|item| item.done.clone()).collect();
        let done = done.ok_or("an item was never ended")?;
        if response["output"] != Value::from(done) {
            return Err("its output is not the items as they ended".to_owned());
        }
        self.last = Some(response.clone());
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Value, String> {
        self.last.ok_or_else(|| "there is no terminal event".to_owned())
    }

    fn begin(&mut self, event: &Value) -> Checked {
        let item = &event["item"];
        check_item(item)?;
        if event["output_index"] != self.items.len() {
            return Err(format!("it should have the place {}", self.items.len()));
        }
        let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
        let (id, kind) = (text("id"), text("type"));
        if self.items.iter().any(|known| known.id == id) {
            return Err("another item has that id".to_owned());
        }
        if item["content"].as_array().is_some_and(|parts| !parts.is_empty()) {
            return Err("an item that begins has parts".to_owned());
        }
        self.items.push(Item {
            id,
            kind,
            parts: Vec::new(),
            told: String::new(),
            whole: None,
            stage: None,
            done: None,
        });
        Ok(())
    }

    /// The open item that an event is about.
    fn item(&mut self, event: &Value, kind: Option<&str>) -> Result<&mut Item, String> {
        let place = event["output_index"].as_u64().and_then(|place| usize::try_from(place).ok());
        let item =
            place.and_then(|place| self.items.get_mut(place)).ok_or("there is no item at its place")?;
        let id = event.get("item_id").unwrap_or(&event["item"]["id"]);
        if *id != *item.id {
            return Err("the item at its place has another id".to_owned());
        }
        if item.done.is_some() {
            return Err("its item has ended".to_owned());
        }
        if kind.is_some_and(|kind| kind != item.kind) {
            return Err(format!("its item is of type '{}'", item.kind));
        }
        Ok(item)
    }

    /// The open part that an event is about.
    fn part(&mut self, event: &Value) -> Result<&mut Part, String> {
        let item = self.item(event, None)?;
        let place = event["content_index"].as_u64().and_then(|place| usize::try_from(place).ok());
        let part =
            place.and_then(|place| item.parts.get_mut(place)).ok_or("there is no part at its place")?;
        if part.done.is_some() { Err("its part has ended".to_owned()) } else { Ok(part) }
    }

    fn text(&mut self, event: &Value, kind: &str, name: &str) -> Checked {
        let part = self.part(event)?;
        if part.kind != kind || part.whole.is_some() {
            return Err("its part is of another type, or whole".to_owned());
        }
        if name.ends_with(".delta") {
            return grow(&mut part.told, event);
        }
        let whole = event[text_member(kind)].as_str().ok_or("it has no text")?;
        part.whole = Some(whole.to_owned());
        if part.told == whole { Ok(()) } else { Err("the deltas add up to something else".to_owned()) }
    }
}

fn grow(told: &mut String, event: &Value) -> Checked {
    let delta = event["delta"].as_str().filter(|delta| !delta.is_empty());
    told.push_str(delta.ok_or("it has no delta")?);
    Ok(())
}

impl Item {
    fn begin_part(&mut self, event: &Value) -> Checked {
        let part = &event["part"];
        check_part(part)?;
        let kind = part["type"].as_str().unwrap_or_default();
        let fits = match self.kind.as_str() {
            "message" => kind != "reasoning_text",
            "reasoning" => kind == "reasoning_text",
            _ => false,
        };
        if !fits || event["content_index"] != self.parts.len() || part[text_member(kind)] != "" {
            return Err("it is no part that begins here".to_owned());
        }
        self.parts.push(Part { kind: kind.to_owned(), told: String::new(), whole: None, done: None });
        Ok(())
    }

    fn grow(&mut self, event: &Value) -> Checked {
        if self.whole.is_some() || (self.kind == "mcp_call" && self.stage.is_none()) {
            return Err("its arguments are whole, or have not begun".to_owned());
        }
        grow(&mut self.told, event)
    }

    fn be_whole(&mut self, event: &Value, member: &str) -> Checked {
        let whole = event[member].as_str().ok_or_else(|| format!("'{member}' is missing"))?;
        if self.whole.replace(whole.to_owned()).is_some() || self.told != whole {
            return Err("the deltas add up to something else, or it is said twice".to_owned());
        }
        Ok(())
    }

    fn be_at(&mut self, stage: &str) -> Checked {
        let fits = match (self.stage.as_deref(), stage) {
            (None, "in_progress") => true,
            (Some("in_progress"), "completed" | "failed") => self.kind != "mcp_call" || self.whole.is_some(),
            _ => false,
        };
        self.stage = Some(stage.to_owned());
        if fits { Ok(()) } else { Err("it is out of its place".to_owned()) }
    }

    fn end(&mut self, event: &Value) -> Checked {
        let item = &event["item"];
        check_item(item)?;
        let ended = matches!(item["status"].as_str(), None | Some("completed" | "incomplete" | "failed"));
        if item["type"] != *self.kind || !ended {
            return Err("it is no end of its item".to_owned());
        }
        let whole = match self.kind.as_str() {
            "function_call" | "mcp_call" => self.whole.as_deref() == item["arguments"].as_str(),
            "custom_tool_call" => self.whole.as_deref() == item["input"].as_str(),
            "message" | "reasoning" => {
                let parts: Option<Vec<Value>> = self.parts.iter().map(|part| part.done.clone()).collect();
                parts.ok_or("a part was never ended")? == *item["content"].as_array().unwrap_or(&Vec::new())
            }
            _ => true,
        };
        let staged = match self.kind.as_str() {
            "mcp_call" | "mcp_list_tools" | "image_generation_call" => {
                matches!(self.stage.as_deref(), Some("completed" | "failed"))
            }
            _ => true,
        };
        self.done = Some(item.clone());
        if whole && staged { Ok(()) } else { Err("it is not what was told of it".to_owned()) }
    }
}

impl Part {
    fn end(&mut self, event: &Value) -> Checked {
        let part = &event["part"];
        check_part(part)?;
        let text = part[text_member(&self.kind)].as_str();
        if part["type"] != *self.kind || text != self.whole.as_deref() || self.whole.is_none() {
            return Err("it is no end of its part".to_owned());
        }
        self.done = Some(part.clone());
        Ok(())
    }
}
