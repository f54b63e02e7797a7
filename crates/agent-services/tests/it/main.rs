//! The conformance suites against the backends that need nothing but this process.

mod in_memory {
    //! The in-memory backends.

    use agent_services::run::InMemoryRunStore;

    agent_services::run_store_conformance!(async { InMemoryRunStore::new() });
}
