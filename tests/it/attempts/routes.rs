//! The addresses of the API, as its description lists them, with something in each of their places.

use crate::support::TestPortal;
use reqwest::Method;

const NOBODYS: &str = "00000000-0000-7000-8000-000000000000";

/// One operation of the API.
pub struct Route {
    pub method: Method,
    /// As the description writes it, without `/api/v1`.
    pub template: String,
    /// The same with names and ids in it.
    pub path: String,
}

impl Route {
    fn of(method: &str, template: &str) -> Self {
        Self {
            method: Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(),
            template: template.to_owned(),
            path: filled(template),
        }
    }
}

/// Every operation: `access_matrix::every_route_is_listed` holds that the description leaves none out.
pub async fn all(test: &TestPortal) -> Vec<Route> {
    let document = test.get("/openapi.json").await.body;
    let mut routes = vec![Route::of("get", "/openapi.json")];
    for (path, item) in document["paths"].as_object().unwrap() {
        let template = path.trim_start_matches("/api/v1");
        routes.extend(item.as_object().unwrap().keys().map(|method| Route::of(method, template)));
    }
    assert!(routes.len() > 100, "{} routes", routes.len());
    routes
}

/// An address of the API or of a page with something in each place. Where that is nothing that exists, what is asked for first (who it
/// is, where the request comes from) is asked for all the same.
pub fn filled(template: &str) -> String {
    let name = match template.trim_start_matches("/access") {
        path if path.starts_with("/connections") => "c1",
        path if path.starts_with("/environments") => "staging",
        path if path.starts_with("/users") => "grace",
        path if path.starts_with("/notifications") => "n1",
        _ => "web",
    };
    let path = template
        .replace("{namespace}", "shop")
        .replace("{name}", name)
        .replace("{environment}", "staging")
        .replace("{tier}", "staging")
        .replace("{connection}", "c1")
        .replace("{kind}", "component")
        .replace("{act}", "restart")
        .replace("{template}", "small-service")
        .replace("{provider}", "p0")
        .replace("{token}", "x")
        .replace("{id}", NOBODYS)
        .replace("{delivery}", NOBODYS)
        .replace("{task}", NOBODYS);
    assert!(!path.contains('{'), "nothing is known for a place in {template}");
    path
}
