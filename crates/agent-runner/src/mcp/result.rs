//! What the result of an MCP tool is for the model and for the readers of a run.

use agent_schemas::{ContentBody, Json, json, object};
use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};

use crate::tools::{ToolContext, ToolError};

/// The answer of a tool: its texts, or its structured result. Everything else becomes contents of the output.
///
/// # Errors
/// The tool's own words, if it says that it has failed.
pub(super) fn answer(ctx: &ToolContext, result: CallToolResult) -> Result<Json, ToolError> {
    let (mut texts, mut contents) = (Vec::new(), Vec::new());
    for block in result.content {
        read(block, &mut texts, &mut contents);
    }
    let text = texts.join("\n");
    if result.is_error == Some(true) {
        let text = if text.is_empty() { "the tool failed and does not say why".to_owned() } else { text };
        return Err(ToolError::new(text));
    }
    let structured = result.structured_content.and_then(|value| Json::from_serialize(&value).ok());
    let attached = contents.len();
    contents.into_iter().for_each(|content| ctx.attach(content));
    Ok(match structured {
        // Servers repeat a structured result as text, for clients that know only texts.
        Some(structured) if text.is_empty() || json::parse(&text).ok().as_ref() == Some(&structured) => {
            structured
        }
        Some(structured) => {
            ctx.attach(ContentBody::Data { data: Some(object! { "structured_content" => structured }) });
            text.into()
        }
        None if text.is_empty() && attached > 0 => "The result is attached.".into(),
        None => text.into(),
    })
}

fn read(block: ContentBlock, texts: &mut Vec<String>, contents: &mut Vec<ContentBody>) {
    match block {
        ContentBlock::Text(text) => texts.push(text.text),
        ContentBlock::Image(image) => contents.push(picture(&image.mime_type, &image.data)),
        ContentBlock::Audio(audio) => contents.push(ContentBody::Audio {
            format: Some(audio.mime_type.rsplit('/').next().unwrap_or_default().to_owned()),
            data: Some(audio.data),
        }),
        ContentBlock::Resource(resource) => match resource.resource {
            ResourceContents::TextResourceContents { text, .. } => texts.push(text),
            ResourceContents::BlobResourceContents { uri, mime_type, blob, .. } => {
                let kind = mime_type.unwrap_or_else(|| "application/octet-stream".to_owned());
                contents.push(if kind.starts_with("image/") {
                    picture(&kind, &blob)
                } else {
                    let data = Some(format!("data:{kind};base64,{blob}"));
                    ContentBody::File { file_url: None, file_id: None, filename: Some(uri), file_data: data }
                });
            }
            _ => {}
        },
        ContentBlock::ResourceLink(link) => {
            texts.push(format!("{}: {}", link.name, link.uri));
            let (file_url, filename) = (Some(link.uri), Some(link.name));
            contents.push(ContentBody::File { file_url, file_id: None, filename, file_data: None });
        }
        _ => {}
    }
}

fn picture(kind: &str, data: &str) -> ContentBody {
    ContentBody::Image { image_url: Some(format!("data:{kind};base64,{data}")) }
}
