//! The limits without a setting.

use agent_tests::{Server, within};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;

use super::{Reached, plain, rows, serve_slow};

#[tokio::test]
async fn limits__every_fixed_limit__is_answered_as_the_page_says() {
    let server = serve_slow("").await;
    for row in rows("limit") {
        let (limit, value) = (row[0], row[1].parse::<usize>().expect("a number"));
        assert_eq!(reach(&server, limit, value).await.answer, plain(row[2]), "{limit}");
    }
    server.check_health().await;
}

async fn reach(server: &Server, limit: &str, value: usize) -> Reached {
    let mut connection = server.connect().await;
    let with_headers = |headers: &str| format!("GET / HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
    match limit {
        "the headers of a request, in bytes, roughly" => {
            let fits = with_headers(&format!("x: {}\r\n", "y".repeat(value / 2)));
            assert_eq!(server.connect().await.send(fits.as_bytes()).await.head().await.status, 200);
            connection.send(with_headers(&format!("x: {}\r\n", "y".repeat(value * 4))).as_bytes()).await;
            Reached::other(&connection.head().await.status.to_string())
        }
        "the number of headers" => {
            let fits = with_headers(&"x: y\r\n".repeat(value - 1));
            assert_eq!(server.connect().await.send(fits.as_bytes()).await.head().await.status, 200);
            connection.send(with_headers(&"x: y\r\n".repeat(value)).as_bytes()).await;
            Reached::other(&connection.head().await.status.to_string())
        }
        "an id of a user or session, in bytes" => {
            let path = |length: usize| format!("/sessions?user_id={}", "u".repeat(length));
            assert_eq!(server.connect().await.get(&path(value)).await.status, 200);
            Reached::error(&connection.get(&path(value + 1)).await)
        }
        "items on a page" => {
            let path = |items: usize| format!("/sessions?user_id=u&limit={items}");
            assert_eq!(server.connect().await.get(&path(value)).await.status, 200);
            Reached::error(&connection.get(&path(value + 1)).await)
        }
        "requests that wait on one WebSocket" => on_one_websocket(server, value).await,
        _ => panic!("this test does not know how to reach: {limit}"),
    }
}

async fn on_one_websocket(server: &Server, waiting: usize) -> Reached {
    let stream = TcpStream::connect(server.address()).await.expect("a connection");
    let url = format!("ws://{}/v1/responses", server.address());
    let (mut socket, _) = client_async(url, stream).await.expect("it speaks WebSocket");
    let slow = json!({ "type": "response.create", "input": "a b" });
    for _ in 0..waiting + 2 {
        socket.send(slow.to_string().into()).await.expect("sent");
    }
    within("an error", async {
        loop {
            let message = socket.next().await.expect("more").expect("readable");
            let text = message.to_text().unwrap_or_default();
            let Ok(event) = serde_json::from_str::<Value>(text) else { continue };
            if event["type"] == "error" {
                let (status, code) = (&event["status"], event["error"]["code"].as_str());
                return Reached::other(&format!("{status} {}", code.unwrap_or_default()));
            }
        }
    })
    .await
}
