//! The conformance suites, against one server and against a cluster.

/// The suites of all stores, against the server or cluster whose URL an async expression returns.
macro_rules! suites {
    ($url:expr) => {
        mod sessions {
            use agent_services::StoreContext;
            use agent_services::redis::RedisSessionStore;

            async fn store() -> RedisSessionStore {
                RedisSessionStore::new(crate::redis::client(&$url.await), StoreContext::default())
            }

            agent_services::session_store_conformance!(store(), |retention| async move {
                store().await.with_retention(retention)
            });
        }

        mod states {
            use agent_services::StoreContext;
            use agent_services::redis::RedisStateStore;

            agent_services::state_store_conformance!(async {
                RedisStateStore::new(crate::redis::client(&$url.await), StoreContext::default())
            });
        }

        mod memories {
            use agent_services::StoreContext;
            use agent_services::redis::RedisMemoryStore;

            agent_services::memory_store_conformance!(async {
                RedisMemoryStore::new(crate::redis::client(&$url.await), StoreContext::default())
            });
        }

        mod runs {
            use agent_services::StoreContext;
            use agent_services::redis::RedisRunStore;
            use agent_services::run::Retention;

            async fn store() -> RedisRunStore {
                RedisRunStore::new(crate::redis::client(&$url.await), StoreContext::default())
            }

            async fn store_with_retention(retention: Retention) -> RedisRunStore {
                store().await.with_retention(retention)
            }

            agent_services::run_store_conformance!(store(), store_with_retention);

            #[test]
            fn run_store__random_calls__agree_with_memory() {
                crate::run_model::agrees_with_memory(|retention| async move {
                    (
                        std::sync::Arc::new(store_with_retention(retention).await)
                            as std::sync::Arc<dyn agent_services::run::RunStore>,
                        (),
                    )
                });
            }
        }
    };
}

mod standalone {
    suites!(crate::redis::server::shared());
}

mod cluster {
    suites!(crate::redis::cluster::shared());
}

mod expiring {
    //! With a time to live, which does not affect data in use.

    use std::time::Duration;

    use agent_services::StoreContext;
    use agent_services::redis::{RedisMemoryStore, RedisSessionStore, RedisStateStore};

    use crate::redis::{client, server};

    const TTL: Duration = Duration::from_secs(3600);

    mod sessions {
        use super::*;

        async fn store() -> RedisSessionStore {
            RedisSessionStore::new(client(&server::shared().await), StoreContext::default()).with_ttl(TTL)
        }

        agent_services::session_store_conformance!(store(), |retention| async move {
            store().await.with_retention(retention)
        });
    }

    mod states {
        use super::*;

        agent_services::state_store_conformance!(async {
            RedisStateStore::new(client(&server::shared().await), StoreContext::default()).with_ttl(TTL)
        });
    }

    mod memories {
        use super::*;

        agent_services::memory_store_conformance!(async {
            RedisMemoryStore::new(client(&server::shared().await), StoreContext::default()).with_ttl(TTL)
        });
    }
}
