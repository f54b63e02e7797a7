//! The conformance suites against every backend, and tests of each backend's own promises.
#![expect(non_snake_case, reason = "tests are named subject__condition__result")]

mod backends;
mod old_layout;
#[cfg(feature = "redis")]
mod redis;
mod run_model;
#[cfg(feature = "sqlite")]
mod sqlite;
mod upstream;

mod in_memory {
    //! The in-memory backends.

    mod runs {
        use agent_services::run::InMemoryRunStore;

        agent_services::run_store_conformance!(
            async { InMemoryRunStore::default() },
            |retention| async move { InMemoryRunStore::default().with_retention(retention) }
        );
    }

    mod run_history {
        use std::sync::Arc;

        use agent_services::run::InMemoryRunStore;
        use agent_services::session::InMemorySessionStore;

        agent_services::run_history_conformance!(async {
            let sessions = Arc::new(InMemorySessionStore::default());
            (Arc::new(InMemoryRunStore::default().with_sessions(Arc::clone(&sessions))) as _, sessions as _)
        });
    }

    mod memories {
        use agent_services::memory::InMemoryMemoryStore;

        agent_services::memory_store_conformance!(async { InMemoryMemoryStore::default() });
    }

    mod sessions {
        use agent_services::session::InMemorySessionStore;

        agent_services::session_store_conformance!(
            async { InMemorySessionStore::default() },
            |retention| async move { InMemorySessionStore::default().with_retention(retention) }
        );
    }

    mod states {
        use agent_services::state::InMemoryStateStore;

        agent_services::state_store_conformance!(async { InMemoryStateStore::default() });
    }
}
