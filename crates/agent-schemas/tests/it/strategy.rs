//! Random values of the protocol's types.

use agent_schemas::{
    AgentRequest, AgentResponse, Content, ContentBody, ErrorBody, Event, Json, JsonObject, Message,
    MessageType, RequestTool, Role, Status, Stop,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

fn words() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-z_]{0,8}"]
}

fn number() -> impl Strategy<Value = Json> {
    let digits = "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,8})?([eE][+-]?[0-9]{1,3})?";
    prop_oneof![
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        digits.prop_map(|text| agent_schemas::json::parse(&text).unwrap()),
    ]
}

pub(crate) fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        number(),
        words().prop_map(Json::from)
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Json::from),
            vec((words(), inner), 0..4).prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

pub(crate) fn object() -> impl Strategy<Value = JsonObject> {
    vec((words(), json()), 0..4).prop_map(|members| members.into_iter().collect())
}

fn status() -> impl Strategy<Value = Status> {
    let known = ["created", "in_progress", "completed", "canceled", "failed", "incomplete"];
    prop_oneof![
        proptest::sample::select(known.to_vec()).prop_map(Status::from),
        words().prop_map(|s| Status::from(&*s))
    ]
}

fn error() -> impl Strategy<Value = ErrorBody> {
    (words(), words(), of(any::<i64>()), of(any::<i64>())).prop_map(|(code, message, status, retry_after)| {
        let mut error = ErrorBody::new(code, message);
        (error.status, error.retry_after) = (status, retry_after);
        error
    })
}

pub(crate) fn body() -> impl Strategy<Value = ContentBody> {
    let text = || of(words());
    prop_oneof![
        text().prop_map(|text| ContentBody::Text { text }),
        text().prop_map(|image_url| ContentBody::Image { image_url }),
        of(object()).prop_map(|data| ContentBody::Data { data }),
        (text(), text()).prop_map(|(data, format)| ContentBody::Audio { data, format }),
        (text(), text(), text(), text()).prop_map(|(file_url, file_id, filename, file_data)| {
            ContentBody::File { file_url, file_id, filename, file_data }
        }),
        text().prop_map(|refusal| ContentBody::Refusal { refusal }),
        text().prop_map(|video_url| ContentBody::Video { video_url }),
    ]
}

pub(crate) fn content() -> impl Strategy<Value = Content> {
    let news =
        (of(any::<i64>()), of(status()), of(error()), of(any::<i64>()), of(any::<bool>()), of(words()));
    (body(), news).prop_map(|(body, (number, status, error, index, delta, msg_id))| {
        let mut content = Content::new(body);
        content.sequence_number = number;
        content.status = status;
        content.error = error;
        content.index = index;
        content.delta = delta;
        content.msg_id = msg_id;
        content
    })
}

fn role() -> impl Strategy<Value = Role> {
    proptest::sample::select(&[Role::Assistant, Role::User, Role::System, Role::Tool][..])
}

fn kind() -> impl Strategy<Value = MessageType> {
    let known = ["message", "function_call", "plugin_call_output", "reasoning", "a2ui_action"];
    let known = proptest::sample::select(known.to_vec()).prop_map(MessageType::from);
    prop_oneof![known, words().prop_map(|text| MessageType::from(&*text))]
}

pub(crate) fn message() -> impl Strategy<Value = Message> {
    let head = (of(any::<i64>()), status(), of(error()), words(), kind(), of(role()));
    let tail = (of(vec(content(), 0..4)), of(words()), of(words()), of(object()), of(object()));
    (head, tail).prop_map(|((number, status, error, id, kind, role), tail)| {
        let mut message = Message::new(id, kind);
        message.sequence_number = number;
        message.status = status;
        message.error = error;
        message.role = role;
        (message.content, message.code, message.message, message.usage, message.metadata) = tail;
        message
    })
}

pub(crate) fn response() -> impl Strategy<Value = AgentResponse> {
    let head = (of(any::<i64>()), status(), of(error()), words(), any::<i64>(), of(any::<i64>()));
    let tail = (of(vec(message(), 0..3)), of(object()), of(words()));
    (head, tail).prop_map(|((number, status, error, id, created_at, completed_at), tail)| {
        let mut response = AgentResponse::new(id, created_at);
        response.sequence_number = number;
        response.status = status;
        response.error = error;
        response.completed_at = completed_at;
        (response.output, response.usage, response.session_id) = tail;
        response
    })
}

fn tool() -> impl Strategy<Value = RequestTool> {
    let exact = (words(), words(), object()).prop_map(|(name, description, properties)| {
        let parameters = agent_schemas::object! {
            "type" => "object", "properties" => properties, "required" => Vec::new()
        };
        let function = agent_schemas::object! {
            "name" => name, "description" => description, "parameters" => parameters
        };
        agent_schemas::object! { "type" => "function", "function" => function }
    });
    prop_oneof![exact, object()].prop_map(|tool| serde_json::from_str(&Json::from(tool).to_string()).unwrap())
}

pub(crate) fn request() -> impl Strategy<Value = AgentRequest> {
    let finite = || of(any::<f64>().prop_filter("JSON has finite numbers only", |value| value.is_finite()));
    let stop = prop_oneof![words().prop_map(Stop::One), vec(words(), 0..3).prop_map(Stop::Many)];
    let numbers = (finite(), finite(), finite(), finite(), of(any::<i64>()), of(1..=5_i64), of(any::<i64>()));
    let rest = (of(words()), of(words()), of(stop), of(vec(tool(), 0..3)), of(words()), of(words()));
    // A prefix distinguishes the free members from the declared ones.
    let extra =
        object().prop_map(|members| members.into_iter().map(|(key, v)| (format!("x_{key}"), v)).collect());
    (vec(message(), 0..3), any::<bool>(), numbers, rest, (extra, of(object()))).prop_map(
        |(input, stream, numbers, rest, (extra, foreign))| {
            let mut request = AgentRequest::new(input);
            request.stream = stream;
            (request.top_p, request.temperature, request.frequency_penalty, ..) = numbers;
            (_, _, _, request.presence_penalty, request.max_tokens, request.n, request.seed) = numbers;
            (request.id, request.model, request.stop, request.tools, request.session_id, request.user_id) =
                rest;
            (request.extra, request.foreign) = (extra, foreign);
            request
        },
    )
}

pub(crate) fn event() -> impl Strategy<Value = Event> {
    let unknown = (words(), object()).prop_map(|(object, mut members)| {
        members.insert("object".into(), Json::from(format!("x_{object}")));
        Event::Other(Json::from(members))
    });
    prop_oneof![
        response().prop_map(Event::from),
        message().prop_map(Event::from),
        content().prop_map(Event::from),
        unknown
    ]
}
