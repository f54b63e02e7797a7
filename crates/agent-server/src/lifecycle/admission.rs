//! How many connections are open, in total and from each address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// How many refused connections are answered at once. Further ones are closed without an answer.
const REFUSALS: usize = 64;

/// Counts connections. Cheap to clone; the clones share everything.
#[derive(Clone, Debug)]
pub(super) struct Admission(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limit: usize,
    /// `None` for any number.
    limit_per_address: Option<usize>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    admitted: usize,
    refused: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Counts a connection until this is dropped.
#[derive(Debug)]
pub(super) struct Admitted {
    admission: Admission,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Served(Option<IpAddr>),
    Refused,
}

/// Why a connection is refused. Its requests have this as an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The server has reached its limit of connections.
    Server {
        /// How many those are.
        limit: usize,
    },
    /// The client's address has reached its limit.
    Address {
        /// How many those are.
        limit: usize,
    },
}

impl Admission {
    pub(super) fn new(limit: usize, limit_per_address: usize) -> Self {
        let limit_per_address = Some(limit_per_address).filter(|limit| *limit > 0);
        Admission(Arc::new(Inner { limit, limit_per_address, open: Mutex::default() }))
    }

    /// Counts a connection, and says whether to refuse it. `None` means closing it without an answer.
    pub(super) fn admit(&self, client: IpAddr) -> Option<(Admitted, Option<Refusal>)> {
        let Inner { limit, limit_per_address, .. } = &*self.0;
        let address = limit_per_address.map(|_| network(client));
        let mut open = self.open();
        let of_address = address.and_then(|address| open.by_address.get(&address)).copied().unwrap_or(0);
        let refusal = match limit_per_address {
            _ if open.admitted >= *limit => Some(Refusal::Server { limit: *limit }),
            Some(limit) if of_address >= *limit => Some(Refusal::Address { limit: *limit }),
            _ => None,
        };
        let kind = if refusal.is_none() {
            open.admitted += 1;
            if let Some(address) = address {
                open.by_address.insert(address, of_address + 1);
            }
            Kind::Served(address)
        } else if open.refused < REFUSALS {
            open.refused += 1;
            Kind::Refused
        } else {
            return None;
        };
        drop(open);
        Some((Admitted { admission: self.clone(), kind }, refusal))
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut open = self.admission.open();
        match self.kind {
            Kind::Refused => open.refused -= 1,
            Kind::Served(address) => {
                open.admitted -= 1;
                if let Some(address) = address
                    && let Some(count) = open.by_address.get_mut(&address)
                {
                    *count -= 1;
                    if *count == 0 {
                        open.by_address.remove(&address);
                    }
                }
            }
        }
    }
}

/// What counts as one address: for IPv6, the 64-bit network of one subscriber.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(admission: &Admission, address: &str) -> Option<(Admitted, Option<Refusal>)> {
        admission.admit(address.parse().expect("an address"))
    }

    #[test]
    fn admission__limit_per_address__counts_networks_and_forgets_closed_connections() {
        let admission = Admission::new(100, 2);
        let served: Vec<_> = ["10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2", "2001:db8::1", "2001:db8::ff:1"]
            .map(|address| admit(&admission, address).expect("answered"))
            .into();
        assert!(served.iter().all(|(_, refusal)| refusal.is_none()));
        for address in ["10.0.0.1", "2001:db8::2"] {
            let (_, refusal) = admit(&admission, address).expect("answered");
            assert_eq!(refusal, Some(Refusal::Address { limit: 2 }), "{address}");
        }
        assert_eq!(admit(&admission, "2001:db8:0:1::1").expect("answered").1, None);
        drop(served);
        assert_eq!(admit(&admission, "10.0.0.1").expect("answered").1, None);
        assert!(admission.open().by_address.is_empty(), "nothing is kept for those that are gone");
    }

    #[test]
    fn admission__too_many_connections__answers_some_and_closes_the_rest() {
        let admission = Admission::new(1, 0);
        let first = admit(&admission, "10.0.0.1").expect("answered");
        let refused: Vec<_> = (0..REFUSALS).filter_map(|_| admit(&admission, "10.0.0.1")).collect();
        assert_eq!(refused.len(), REFUSALS);
        assert!(refused.iter().all(|(_, refusal)| *refusal == Some(Refusal::Server { limit: 1 })));
        assert!(admit(&admission, "10.0.0.1").is_none());
        drop((first, refused));
        assert_eq!(admit(&admission, "10.0.0.1").expect("answered").1, None);
    }
}
