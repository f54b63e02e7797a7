//! The dictionary for compressing requests and events with LZ4.

/// The fixed parts of requests and events. More frequent parts are closer to the end.
///
/// Stored blocks refer to its bytes, so it never changes.
pub(super) const FIRST: &str = concat!(
    r#"{"input":[{"sequence_number":null,"object":"message","status":"created","error":null,"id":"msg_","#,
    r#""type":"message","role":"user","content":[{"sequence_number":null,"object":"content","status":null,"#,
    r#""error":null,"type":"text","index":null,"delta":false,"msg_id":null,"text":""}],"code":null,"#,
    r#""message":null,"usage":null,"metadata":null}],"stream":true,"id":null,"model":null,"top_p":null,"#,
    r#""temperature":null,"frequency_penalty":null,"presence_penalty":null,"max_tokens":null,"stop":null,"#,
    r#""n":1,"seed":null,"tools":null,"session_id":null,"user_id":null}"#,
    r#""type":"plugin_call","role":"assistant","#,
    r#""usage":{"input_tokens":,"output_tokens":,"total_tokens":"#,
    r#""type":"data","index":0,"delta":false,"msg_id":"msg_","#,
    r#""data":{"call_id":"call_","name":"","arguments":"{\""#,
    "id: 0\ndata: ",
    r#"{"sequence_number":0,"object":"response","status":"in_progress","error":null,"id":"response_","#,
    r#""created_at":,"completed_at":,"output":null,"usage":null,"session_id":""#,
    r#""object":"message","status":"in_progress","error":null,"id":"msg_","type":"message","#,
    r#""role":"assistant","content":null,"code":null,"message":null,"usage":null,"metadata":null}"#,
    "\n\nid: 3\ndata: ",
    r#"{"sequence_number":3,"object":"content","status":"completed","error":null,"type":"text","index":0,"#,
    r#""delta":true,"msg_id":"msg_"#,
);
