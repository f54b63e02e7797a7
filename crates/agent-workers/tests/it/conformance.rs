//! What every worker has to do, tested with the worker of the Python package, or with the command in `AGENT_TEST_WORKER`.
//!
//! The command gets the path of a script as its last argument. Another language brings scripts of its own with the same
//! agents.

mod peer;

use std::io::Write;

use serde_json::json;

use self::peer::{CREDIT, MAX_PAYLOAD, Peer, encode, kind, pieces, read, start_of};

#[test]
fn ready__names_the_agents_in_their_order() {
    let mut peer = Peer::start("agents.py");
    peer.hello(1);
    let ready = peer.receive(0);
    assert_eq!(ready.kind, kind::READY);
    let ready = ready.json();
    assert_eq!(
        (&ready["version"], &ready["agents"][0]),
        (&json!(1), &json!({ "name": "echo", "recovery": "continue" }))
    );
    assert_eq!(ready["agents"][1]["recovery"], "give_up");
    assert!(ready["pid"].is_u64() && ready["language"].is_string(), "{ready}");
}

#[test]
fn script__cannot_be_loaded__says_where_and_exits() {
    let mut peer = Peer::start("broken.py");
    peer.hello(1);
    let failed = peer.receive(0);
    assert_eq!(failed.kind, kind::FAILED);
    let failed = failed.json();
    assert!(failed["message"].as_str().is_some_and(|text| text.contains("line 4")), "{failed}");
    assert!(failed["traceback"].as_str().is_some_and(|text| text.contains("def broken(:")), "{failed}");
    peer.exit();
}

#[test]
fn run__answers__in_frames_of_one_part() {
    let mut peer = Peer::ready();
    peer.run(7, "echo", "a ü");
    let open = peer.receive(7);
    assert_eq!((open.kind, &open.json()["kind"]), (kind::OPEN, &json!("message")));
    for text in ["a ", "ü "] {
        let frame = peer.receive(7);
        assert_eq!((frame.kind, frame.part, frame.text()), (kind::TEXT, open.part, text));
    }
    assert_eq!(
        (peer.receive(7).kind, peer.receive(7).json()),
        (kind::CLOSE, json!({ "status": "completed" }))
    );
}

#[test]
fn frames__arrive_byte_by_byte__are_whole() {
    let mut peer = Peer::ready();
    for byte in encode(kind::RUN, 0, 1, start_of("echo", "slowly").to_string().as_bytes()) {
        peer.send_bytes(&[byte]);
    }
    assert_eq!(peer.finish(1).0, "slowly ");
}

#[test]
fn request__longer_than_a_frame__does_not_delay_a_cancel() {
    let mut peer = Peer::ready();
    peer.run(1, "waits", "x");
    assert_eq!(peer.receive(1).kind, kind::OPEN);
    let words = "word ".repeat(MAX_PAYLOAD / 2);
    let frames = pieces(kind::RUN, 2, start_of("echo", &words).to_string().as_bytes(), 300_000);
    assert!(frames.len() > 5);
    for (number, frame) in frames.iter().enumerate() {
        peer.send_bytes(frame);
        if number == 1 {
            peer.send(kind::CANCEL, 1, &json!({ "reason": "canceled" }));
            saves(&mut peer, 1);
            assert_eq!(peer.finish(1).1["status"], "canceled");
        }
    }
    assert_eq!(peer.receive(2).kind, kind::OPEN);
}

/// Answers the call of a cancelled run that saves its state.
fn saves(peer: &mut Peer, run: u32) {
    loop {
        let frame = peer.receive(run);
        if frame.kind == kind::CALL {
            let call = frame.json();
            assert_eq!(
                (&call["method"], &call["arguments"]),
                (&json!("save_state"), &json!({ "state": { "saved": "x" } }))
            );
            return peer.send(kind::REPLY, run, &json!({ "call": call["call"], "result": null }));
        }
    }
}

#[test]
fn text__longer_than_a_frame__is_cut_between_characters() {
    let mut peer = Peer::ready();
    peer.run(1, "long", &MAX_PAYLOAD.to_string());
    assert_eq!(peer.receive(1).kind, kind::OPEN);
    let (mut characters, mut flags) = (0, Vec::new());
    while characters < MAX_PAYLOAD {
        let frame = peer.receive(1);
        assert_eq!(frame.kind, kind::TEXT);
        characters += frame.text().chars().count();
        flags.push(frame.flags);
    }
    assert_eq!(flags.pop(), Some(0), "the last piece");
    assert!(flags.iter().all(|flags| *flags == 1), "{flags:?}");
}

#[test]
fn credit__used_up__stops_that_run_only() {
    let mut peer = Peer::ready();
    peer.run(1, "flood", "200");
    let mut received = 0;
    // It may exceed its credit by one frame.
    while received < CREDIT {
        received += peer.receive(1).payload.len();
    }
    peer.run(2, "echo", "still here");
    assert_eq!(peer.finish(2).0, "still here ", "the other run is not delayed");
    // Everything before the answer of the second run has arrived, so more would be here by now.
    assert!(received < CREDIT + 2000, "{received}");
    while received < 200_000 {
        peer.send(kind::CREDIT, 1, &json!({ "bytes": 10_000 }));
        let granted = received + 10_000;
        while received < granted.min(200_000) {
            received += peer.receive(1).payload.len();
        }
    }
    assert_eq!(peer.finish(1).1["status"], "completed");
}

#[test]
fn cancel__of_one_among_many__ends_that_one() {
    let mut peer = Peer::ready();
    for run in 1..=500 {
        peer.run(run, "waits", "x");
        assert_eq!(peer.receive(run).kind, kind::OPEN);
    }
    for run in [250, 1, 500] {
        peer.send(kind::CANCEL, run, &json!({ "reason": "canceled" }));
        saves(&mut peer, run);
        assert_eq!(peer.finish(run).1["status"], "canceled");
    }
    peer.run(501, "echo", "others live");
    assert_eq!(peer.finish(501).0, "others live ");
}

#[test]
fn cancel__before_the_request_or_after_the_end__is_no_error() {
    let mut peer = Peer::ready();
    peer.send(kind::CANCEL, 1, &json!({ "reason": "canceled" }));
    peer.run(1, "waits", "x");
    assert_eq!(peer.finish(1), (String::new(), json!({ "status": "canceled" })), "it has not begun");
    peer.send(kind::CANCEL, 1, &json!({ "reason": "canceled" }));
    peer.run(2, "echo", "next");
    assert_eq!(peer.finish(2).0, "next ");
}

#[test]
fn errors__with_and_without_a_code() {
    let mut peer = Peer::ready();
    peer.run(1, "fails", "");
    let (_, done) = peer.finish(1);
    assert_eq!((&done["status"], &done["error"]["message"]), (&json!("failed"), &json!("secret")));
    assert!(done["error"]["code"].is_null() && done["error"]["traceback"].is_string(), "{done}");
    peer.run(2, "refuses", "");
    let (_, done) = peer.finish(2);
    assert_eq!((&done["error"]["code"], &done["error"]["status"]), (&json!("DAILY_LIMIT"), &json!(429)));
    peer.run(3, "nobody", "");
    assert_eq!(peer.finish(3).1["status"], "failed", "there is no such agent");
}

#[test]
fn calls__answered_in_another_order__get_their_results() {
    let mut peer = Peer::ready();
    peer.run(1, "counts", "");
    let calls = [peer.receive(1).json(), peer.receive(1).json()];
    for call in calls.iter().rev() {
        let result = if call["method"] == "history" { json!([{}, {}]) } else { json!({ "turns": 3 }) };
        peer.send(kind::REPLY, 1, &json!({ "call": call["call"], "result": result }));
    }
    assert_eq!(peer.finish(1).0, "{'turns': 3} 2");
    peer.run(2, "counts", "");
    for _ in 0..2 {
        let call = peer.receive(2).json();
        let error = json!({ "kind": "failed", "message": "no store" });
        peer.send(kind::REPLY, 2, &json!({ "call": call["call"], "error": error }));
    }
    assert_eq!(peer.finish(2).1["error"]["message"], "no store");
}

#[test]
fn unknown_frames_and_members__are_ignored() {
    let mut peer = Peer::ready();
    peer.send(60, 0, &json!({ "from": "a later version" }));
    let mut start = start_of("echo", "known");
    start["a_later_member"] = json!({ "x": 1 });
    peer.send(kind::RUN, 1, &start);
    assert_eq!(peer.finish(1).0, "known ");
}

#[test]
fn drain__exits_after_the_last_run() {
    let mut peer = Peer::ready();
    peer.run(1, "waits", "x");
    assert_eq!(peer.receive(1).kind, kind::OPEN);
    peer.send(kind::DRAIN, 0, &json!({}));
    peer.send(kind::CANCEL, 1, &json!({ "reason": "canceled" }));
    saves(&mut peer, 1);
    assert_eq!(peer.finish(1).1["status"], "canceled");
    peer.exit();
}

#[test]
fn blocked_worker__answers_pings_and_ends_with_the_server() {
    let mut peer = Peer::ready();
    peer.run(1, "blocks", "");
    assert_eq!((peer.receive(1).kind, peer.receive(1).kind), (kind::OPEN, kind::TEXT));
    let mut ping = |stuck_ms: u64| {
        let ping = json!({ "stuck_ms": stuck_ms }).to_string();
        peer.health.write_all(&encode(kind::PING, 0, 0, ping.as_bytes())).expect("sent");
        let answer = read(&mut peer.health).expect("an answer");
        assert_eq!(answer.kind, kind::PONG);
        answer.json()
    };
    let pong = ping(60_000);
    assert_eq!((&pong["runs"], &pong["stack"]), (&json!(1), &json!(null)), "{pong}");
    let pong = ping(1);
    assert!(pong["lag_ms"].as_u64().is_some_and(|lag| lag > 0), "{pong}");
    assert!(pong["stack"].as_str().is_some_and(|stack| stack.contains("blocks")), "{pong}");
    for socket in [&peer.data, &peer.health] {
        socket.shutdown(std::net::Shutdown::Write).expect("shut down");
    }
    peer.exit();
}

#[test]
fn log__of_a_run__names_it() {
    let mut peer = Peer::ready();
    peer.run(1, "logs", "knives");
    assert_eq!(peer.finish(1).1["status"], "completed");
    let line = read(&mut peer.log).expect("a line");
    assert_eq!(line.kind, kind::LOG);
    let line = line.json();
    assert_eq!(
        (&line["run"], &line["level"], &line["logger"], &line["message"]),
        (&json!("run_1"), &json!("warning"), &json!("mine"), &json!("careful with knives"))
    );
}

#[test]
fn server_gone__worker_exits() {
    let peer = Peer::ready();
    peer.data.shutdown(std::net::Shutdown::Write).expect("shut down");
    peer.exit();
}
