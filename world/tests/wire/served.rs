//! A world that is served over HTTP, as the program `world` serves it.

use axum::Router;
use runtime::{
    SystemClock,
    remote::{ServerUrl, UrlSetting},
};
use serde_json::Value;
use std::{future::Future, sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::net::TcpListener;
use world::{Options, Report, World};

/// Long enough for a busy machine, and short enough to wait for where a call must time out.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// A world and where it is served. The server ends with the test's runtime.
pub struct Served {
    pub world: World,
    pub address: String,
    _folder: TempDir,
}

impl Served {
    /// A world with these faults, whose reports go nowhere.
    pub async fn new(faults: Value) -> Served {
        Served::with(faults, |_| async { Ok(()) }, |world| world).await
    }

    /// A world with these faults, whose reports go to `receive`.
    pub async fn with<F: Future<Output = Result<(), String>> + Send + 'static>(
        faults: Value,
        receive: impl Fn(Report) -> F + Send + Sync + 'static,
        changed: impl FnOnce(World) -> World,
    ) -> Served {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { faults: serde_json::from_value(faults).unwrap(), seed: 7 };
        let world = changed(World::open(folder.path(), &options, Arc::new(SystemClock), receive).unwrap());
        let (routes, _) = world::api::with_calls(world.clone()).split_for_parts();
        Served { world, address: serve(routes).await, _folder: folder }
    }

    /// What a setting would hold so that it names `path` of this server.
    pub fn url(&self, setting: UrlSetting, path: &str) -> ServerUrl {
        setting.parse(&format!("http://{}/{path}", self.address)).unwrap()
    }

    /// Reads JSON from `path`.
    pub async fn get(&self, path: &str) -> Value {
        let reply = reqwest::get(format!("http://{}{path}", self.address)).await.unwrap();
        assert_eq!(reply.status(), 200, "{path}");
        reply.json().await.unwrap()
    }
}

/// Serves these routes on a free port.
pub async fn serve(routes: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, runtime::http::finish(routes)).await });
    address
}

/// Waits until there is something, but not for ever.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let found = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    found.await.unwrap_or_else(|_| panic!("there should have been {what} by now"))
}
