//! The contract of [`Service`], which all stores share.
#![expect(clippy::missing_panics_doc, reason = "panicking is how these functions report")]

use crate::{ErrorKind, Service};

/// Contract 1 and 3: starting and stopping can be repeated.
pub async fn start_and_stop_can_be_repeated(store: &dyn Service) {
    for _ in 0..2 {
        store.start().await.expect("starting again changes nothing");
    }
    for _ in 0..2 {
        store.stop().await.expect("stopping again changes nothing");
    }
    store.start().await.expect("a stopped service starts");
    store.health().await.expect("it works");
}

/// Contract 2: health reflects the backend's state.
pub async fn health_follows_the_lifecycle(store: &dyn Service) {
    store.health().await.expect("a started service works");
    store.stop().await.expect("stopped");
    let health = store.health().await.map_err(|error| error.kind());
    assert_eq!(health, Err(ErrorKind::Unavailable));
}
