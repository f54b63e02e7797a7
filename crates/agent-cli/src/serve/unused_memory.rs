//! Returns memory that is no longer used to the system.

use std::thread;
use std::time::Duration;

use tokio::time::sleep;

const INTERVAL: Duration = Duration::from_secs(10);

/// Returns unused memory from time to time.
///
/// mimalloc keeps what is freed for a moment, and gives it back when a thread frees more, or ends. The threads of an idle
/// server do neither, so one is started that ends at once.
pub(super) async fn give_back() {
    loop {
        sleep(INTERVAL).await;
        // Without a thread, the memory is given back later.
        let _ = thread::Builder::new().name("unused-memory".to_owned()).spawn(|| ());
    }
}
