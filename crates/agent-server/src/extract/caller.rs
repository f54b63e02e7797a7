//! Who makes a request.

use std::convert::Infallible;
use std::net::SocketAddr;

use agent_schemas::{AgentRequest, UserId};
use axum::extract::FromRequestParts;
use axum::http::Extensions;
use axum::http::request::Parts;

/// The address that a request comes from: an extension of the request, unless another server than [`AgentApp::serve`] has
/// accepted the connection.
///
/// [`AgentApp::serve`]: crate::AgentApp::serve
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub SocketAddr);

/// The user who makes a request, as identified by the application's authentication: an extension of the request.
///
/// It replaces any user that the request names, in every protocol, and determines what the request may see: the runs,
/// sessions and responses of other users do not exist for it (404). A request without a principal belongs to its `user_id`,
/// and anyone who knows a run's id may read and cancel the run.
///
/// A layer around the application sets it; see [`AgentAppBuilder::wrap`](crate::AgentAppBuilder::wrap).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    user_id: UserId,
}

impl Principal {
    /// The principal that is this user.
    pub fn new(user_id: impl Into<String>) -> Self {
        Principal { user_id: UserId::new(user_id.into()) }
    }

    /// The user.
    pub fn user_id(&self) -> &UserId {
        &self.user_id
    }
}

/// The user who makes a request: its [`Principal`], or the user that it names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller(Option<Principal>);

impl Caller {
    /// The caller of the request with these extensions.
    pub fn of(extensions: &Extensions) -> Self {
        Caller(extensions.get::<Principal>().cloned())
    }

    /// The authenticated user, if any.
    pub fn user(&self) -> Option<&UserId> {
        self.0.as_ref().map(Principal::user_id)
    }

    /// Whether the runs of a user exist for the caller.
    pub fn may_see(&self, user: &UserId) -> bool {
        self.user().is_none_or(|own| own == user)
    }

    /// Makes the caller the user of a request for a run.
    pub fn claim(&self, request: &mut AgentRequest) {
        if let Some(user) = self.user() {
            request.user_id = Some(user.to_string());
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Caller::of(&parts.extensions))
    }
}
