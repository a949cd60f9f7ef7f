//! `tutti edge`: the one address of a shop whose services run as processes of their own. It has the routes and shapes of
//! the shop in one process ([`crate::http`]): most requests are handed on to the service that answers them (`forward`);
//! what spans all services is put together here (`timeline`, `operations`). It holds no state, so any number of them
//! may stand side by side.
//!
//! Only what is named here can be asked for. The services' admin ports are asked by the edge itself, for the parts of a
//! timeline and for how they are, and by nobody through it.

mod forward;
mod forwarded_for;
mod operations;
mod rewound;
mod settings;
mod timeline;
mod upstream;

pub use settings::{SERVICES, Settings, WORLD};

use axum::{
    Router,
    extract::{Request, State},
    routing::any,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use upstream::Upstreams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// How long requests under way may take when the edge closes. A supervisor usually kills after 30 s.
const DRAIN_WITHIN: Duration = Duration::from_secs(20);

/// Who answers what is not answered here. A path that is in no row is not reachable, whatever a service may serve.
const ROUTES: [(&str, &str); 11] = [
    ("/orders", "order"),
    ("/orders/{id}", "order"),
    ("/orders/{id}/cancellation", "order"),
    ("/products", "order"),
    ("/stock", "inventory"),
    ("/stock/{sku}/replenishments", "inventory"),
    ("/carrier/reports", "shipping"),
    ("/carrier/parcels", WORLD),
    ("/gateway/ledger", WORLD),
    ("/mailbox", WORLD),
    ("/world", WORLD),
];

/// What every route needs.
#[derive(Clone)]
struct Edge {
    upstreams: Arc<Upstreams>,
    openapi: Arc<str>,
}

/// What is answered here.
fn own() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(timeline::of_order))
        .routes(routes!(timeline::of_sku))
        .routes(routes!(operations::live))
        .routes(routes!(operations::ready))
        .routes(routes!(operations::metrics))
        .routes(routes!(operations::choreography))
        .routes(routes!(operations::verify))
}

/// All routes of the shop.
fn router(settings: &Settings) -> std::io::Result<Router> {
    let (own, described) = own().split_for_parts();
    let openapi = operations::document(&described)?.into();
    let mut routes = own.route("/openapi.json", axum::routing::get(operations::openapi));
    for (path, service) in ROUTES {
        let handed_on = move |State(edge): State<Edge>, request: Request| forward::forward(edge, service, request);
        routes = routes.route(path, any(handed_on));
    }
    Ok(runtime::http::finish(routes.with_state(Edge { upstreams: Arc::new(Upstreams::new(settings)), openapi })))
}

/// An open edge.
pub struct Server {
    address: SocketAddr,
    serving: JoinHandle<std::io::Result<()>>,
    closing: watch::Sender<bool>,
}

impl Server {
    /// Listens. The services need not be there.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn open(settings: &Settings) -> std::io::Result<Server> {
        let listener = TcpListener::bind(settings.listen).await?;
        let address = listener.local_addr()?;
        let (closing, closed) = watch::channel(false);
        let serving = tokio::spawn(serve(listener, router(settings)?, closed));
        Ok(Server { address, serving, closing })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Resolves if it ends by itself, with the reason.
    pub async fn ended(&mut self) -> String {
        match (&mut self.serving).await {
            Ok(Ok(())) => "it stopped listening".into(),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        }
    }

    /// Takes nothing new, and finishes what is under way. Who takes longer than 20 s is cut off.
    ///
    /// # Errors
    /// When serving broke down meanwhile.
    pub async fn close(self) -> std::io::Result<()> {
        // Nobody hears this if it has ended already.
        _ = self.closing.send(true);
        match tokio::time::timeout(DRAIN_WITHIN, self.serving).await {
            Ok(Ok(served)) => served,
            Ok(Err(broken)) => Err(std::io::Error::other(broken)),
            Err(_) => {
                tracing::warn!("requests that took too long were cut off");
                Ok(())
            }
        }
    }
}

async fn serve(listener: TcpListener, router: Router, mut closing: watch::Receiver<bool>) -> std::io::Result<()> {
    let closed = async move {
        // When the sender is gone, so is the server.
        _ = closing.wait_for(|closing| *closing).await;
    };
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(closed).await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the shop in one process serves, the edge serves; so nobody forgets a route in one of the two.
    #[test]
    fn every_path_of_the_shop_in_one_process_is_served_and_described() {
        let shop: serde_json::Value = serde_json::from_str(include_str!("../../docs/openapi.json")).unwrap();
        let own = own().split_for_parts().1;
        let described: serde_json::Value = serde_json::from_str(&operations::document(&own).unwrap()).unwrap();
        for (path, methods) in shop["paths"].as_object().unwrap() {
            let handed_on = ROUTES.iter().any(|(route, _)| route == path);
            assert!(handed_on != own.paths.paths.contains_key(path), "{path} is not served once");
            let again = described["paths"][path].as_object().unwrap_or_else(|| panic!("{path} is not described"));
            assert!(methods.as_object().unwrap().keys().eq(again.keys()), "{path}");
        }
        let timeline = &described["components"]["schemas"]["Timeline"]["properties"];
        assert!(timeline["away"].is_object() && timeline["items"].is_object(), "{timeline}");
        assert_eq!(described["info"], shop["info"]);
    }

    #[test]
    fn a_route_leads_to_somebody_who_has_an_address() {
        for (path, service) in ROUTES {
            assert!(service == WORLD || SERVICES.contains(&service), "{path} leads to {service}");
        }
    }
}
