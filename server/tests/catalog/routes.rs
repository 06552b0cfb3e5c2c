use crate::support::{EntitiesOnly, Portal, admin, component, viewer};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use passerelle_contract::catalog::{EntityOut, ServiceOut};
use passerelle_contract::{Page, Problem};
use passerelle_server::catalog::routes::router;
use passerelle_server::kernel::Ctx;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;
use tower::ServiceExt;

struct Api(Router);

impl Api {
    async fn new(portal: &Portal) -> Self {
        Self(router(portal.catalog.clone(), Arc::new(EntitiesOnly)).split_for_parts().0)
    }

    async fn call(
        &self,
        ctx: Ctx,
        method: &str,
        path: &str,
        kind: &str,
        body: impl Into<Body>,
    ) -> (StatusCode, String, Vec<u8>) {
        let mut request =
            Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, kind).body(body.into()).unwrap();
        request.extensions_mut().insert(ctx);
        let response = self.0.clone().oneshot(request).await.unwrap();
        let tag = response.headers().get(header::ETAG).map(|tag| tag.to_str().unwrap().to_owned()).unwrap_or_default();
        let status = response.status();
        (status, tag, axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec())
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        let (status, _, body) = self.call(viewer(), "GET", path, "", Body::empty()).await;
        assert_eq!(status, StatusCode::OK, "{path}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }

    async fn refused(&self, method: &str, path: &str, kind: &str, body: impl Into<Body>) -> (u16, String) {
        let (status, _, body) = self.call(admin(), method, path, kind, body).await;
        let problem: Problem = serde_json::from_slice(&body).unwrap();
        (status.as_u16(), problem.errors.first().map(|error| error.pointer.clone()).unwrap_or_default())
    }
}

#[tokio::test]
async fn lists_filters_pages_and_single_entities_over_http() {
    let portal = Portal::new().await;
    let api = Api::new(&portal).await;
    let text: String = (0..30)
        .map(|i| component(&format!("s{i:02}"), if i % 2 == 0 { "  providesApis: [pay]\n" } else { "" }))
        .collect();
    let (status, _, body) = api.call(admin(), "POST", "/catalog/imports", "application/yaml", text).await;
    assert_eq!(
        (status, serde_json::from_slice::<Value>(&body).unwrap()["created"].as_u64()),
        (StatusCode::OK, Some(30))
    );

    let first: Page<ServiceOut> = api.get("/services?limit=20&sort=name_desc").await;
    let cursor = first.next_cursor.unwrap();
    let second: Page<ServiceOut> = api.get(&format!("/services?limit=20&sort=name_desc&cursor={cursor}")).await;
    assert_eq!((second.items[0].key.as_str(), second.items.len(), second.next_cursor), ("shop/s09", 10, None));
    let some: Page<ServiceOut> = api.get("/services?q=s01&q=").await;
    assert_eq!((some.total, some.items[0].system.as_deref()), (1, Some("shop/till")));
    let either: Page<ServiceOut> = api.get("/services?tag=absent&tag=one&system=till&team=shop/payments").await;
    assert_eq!(either.total, 30);
    let facets: Value = api.get("/services/facets").await;
    assert_eq!(facets["system"][0]["count"], 30);
    let (_, tag, body) = api.call(viewer(), "GET", "/services/shop/s00", "", Body::empty()).await;
    let entity: EntityOut = serde_json::from_slice(&body).unwrap();
    assert_eq!((entity.reference.as_str(), entity.relations.len(), tag.as_str()), ("component:shop/s00", 3, "\"1\""));
    let graph: Value = api.get("/services/shop/s00/graph?depth=3").await;
    assert_eq!(graph["nodes"].as_array().unwrap().len(), 2);
    let entities: Value = api.get("/entities?kind=Component&q=s0").await;
    assert_eq!(entities["total"], 10);
    assert_eq!(api.get::<Value>("/entities/component/shop/s00").await["name"], "s00");
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_field() {
    let portal = Portal::new().await;
    let api = Api::new(&portal).await;
    let empty = Body::empty;
    let cursor = |list: &Page<ServiceOut>| list.next_cursor.clone().unwrap();
    let text: String = (0..3).map(|i| component(&format!("s{i}"), "")).collect();
    api.call(admin(), "POST", "/catalog/imports", "application/yaml", text).await;
    let good = cursor(&api.get("/services?limit=1").await);
    let edited = format!("{}A", &good[..good.len() - 1]);
    let cases = [
        (format!("/services?cursor={edited}"), 422, "/cursor"),
        (format!("/services?sort=owner&cursor={good}"), 422, "/cursor"),
        ("/services?limit=0".to_owned(), 422, "/limit"),
        ("/services?limit=-1".to_owned(), 422, "/limit"),
        ("/services?limit=1000".to_owned(), 422, "/limit"),
        (format!("/services?q={}", "x".repeat(300)), 422, "/q"),
        ("/services?health=green".to_owned(), 422, "/health"),
        ("/services/shop/s0/graph?depth=9".to_owned(), 422, "/depth"),
        ("/services/shop/absent".to_owned(), 404, ""),
        ("/services/..%2f..%2fetc/passwd".to_owned(), 404, ""),
        ("/entities/nothing/a/b".to_owned(), 404, ""),
    ];
    for (path, status, pointer) in cases {
        let (found, at) = api.refused("GET", &path, "", empty()).await;
        assert_eq!((found, at.as_str()), (status, pointer), "{path}");
    }
    let too_large = vec![b'#'; 50 << 20];
    assert_eq!(api.refused("POST", "/catalog/imports", "application/yaml", too_large).await.0, 413);
    assert_eq!(api.refused("POST", "/catalog/imports", "application/yaml", vec![0xff]).await.0, 422);
    let unknown = api.refused("PATCH", "/services/shop/s0", "application/json", r#"{"owner":"x"}"#).await;
    assert_eq!(unknown.0, 422);
}

#[tokio::test]
async fn a_folder_comes_as_one_part_per_file() {
    let portal = Portal::new().await;
    let api = Api::new(&portal).await;
    let part = |path: &str, text: &str| {
        format!("--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{path}\"\r\n\r\n{text}\r\n")
    };
    let location = "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: all}\nspec: {targets: [./a/web.yaml, ./gone.yaml]}\n";
    let body =
        format!("{}{}--XX--\r\n", part("catalog-info.yaml", location), part("a/web.yaml", &component("web", "")));
    let (status, _, answer) =
        api.call(admin(), "POST", "/catalog/imports", "multipart/form-data; boundary=XX", body).await;
    let report: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!((status, report["created"].as_u64()), (StatusCode::OK, Some(2)), "{report}");
    assert_eq!(report["warnings"][0]["pointer"], "/spec/targets/1");
    let outside = format!("{}--XX--\r\n", part("../web.yaml", "a: 1"));
    assert_eq!(
        api.refused("POST", "/catalog/imports", "multipart/form-data; boundary=XX", outside).await,
        (422, "/files".to_owned())
    );
}
