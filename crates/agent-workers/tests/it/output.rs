//! What workers print and log.

use crate::support::{log, logged, serve};

#[tokio::test]
async fn output__of_a_run__is_logged_with_the_run() {
    let served = serve(|_| {}).await;
    logged(&["imported"]).await;
    let run = served.start("prints", "").await;
    let response = crate::support::response(&run).await;
    assert_eq!(response.messages()[0].text_content(), Some("(False, 1, 2, 'utf-8')"));
    let id = run.id().as_str();
    for (stream, text) in [
        ("stdout", "whole line"),
        ("stdout", "half a line"),
        ("stderr", "to stderr"),
        ("stdout", " one"),
        ("stdout", " two"),
        ("stdout", " 100 %"),
        ("stdout", "in a thread"),
        ("stdout", "no end of line"),
    ] {
        logged(&[id, text, &format!("stream=\"{stream}\"")]).await;
    }
    logged(&[id, "a record", "logger=\"mine\""]).await;
    for raw in ["raw bytes", "raw descriptor"] {
        assert!(!logged(&[raw]).await.contains(id));
    }
    let log = log();
    assert!(!log.contains("50 %"), "{log}");
    let longest = log.lines().filter(|line| line.contains(id)).map(|line| line.matches('ä').count());
    assert_eq!(longest.max(), Some(8192));
}
