//! The words in a stream, whatever its protocol.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use memchr::memmem;
use tokio::time::timeout;

use crate::load::Connection;

/// No stream here pauses for so long.
const SILENCE: Duration = Duration::from_secs(60);

/// The words of a run, numbered from `first`.
pub(crate) fn words(first: usize, count: usize) -> String {
    let words: Vec<_> = (first..first + count).map(|number| format!("word{number:04}")).collect();
    words.join(" ")
}

/// Sends a request and reads its stream until that many words have arrived, or to its end; returns the time of each word since the
/// request was sent.
pub(crate) async fn read(
    connection: &mut Connection,
    request: &[u8],
    marker: &str,
    at_most: usize,
) -> Result<Vec<Duration>> {
    let started = Instant::now();
    connection.send(request).await?;
    let finder = memmem::Finder::new(marker);
    let (mut arrivals, mut scanned) = (Vec::new(), 0);
    loop {
        let is_end = timeout(SILENCE, connection.read()).await??;
        let received = connection.received();
        ensure!(
            received.len() < 12 || received.starts_with(b"HTTP/1.1 200"),
            "{}",
            String::from_utf8_lossy(&received[..received.len().min(600)])
        );
        let now = started.elapsed();
        while let Some(found) = finder.find(&received[scanned..]) {
            scanned += found + marker.len();
            arrivals.push(now);
        }
        // A marker may arrive in two pieces.
        scanned = scanned.max((received.len() + 1).saturating_sub(marker.len()));
        if is_end || arrivals.len() >= at_most {
            return Ok(arrivals);
        }
    }
}

/// The words in whole events that have the marker, in the order of their arrival.
pub(crate) fn words_in(received: &str, marker: &str) -> Vec<String> {
    let received = received.replace('\r', "");
    let whole = received.rsplit_once("\n\n").map_or("", |(whole, _)| whole);
    // A marker may include the end of its line.
    let events = whole.split("\n\n").map(|event| format!("{event}\n"));
    events.filter(|event| event.contains(marker)).filter_map(|event| word_in(&event)).collect()
}

fn word_in(event: &str) -> Option<String> {
    // The agent itself may be called `words`.
    let numbers = event.split("word").skip(1).filter_map(|rest| rest.get(..4));
    let number = numbers.filter(|number| number.bytes().all(|byte| byte.is_ascii_digit())).last()?;
    Some(format!("word{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in__other_and_partial_events__are_ignored() {
        let received = "HTTP/1.1 200 OK\r\n\r\n20\r\nevent: start\ndata: {\"in\":\"word0000 word0001\"}\n\n\r\n\
                        18\r\nevent: word\ndata: \"word0000 \", \"words\"\n\n\r\nevent: word\r\ndata: \"word0001\"\r\n\r\nevent: word\ndata: \"wor";
        assert_eq!(words_in(received, "event: word\n"), ["word0000", "word0001"]);
    }
}
