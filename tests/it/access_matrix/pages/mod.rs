//! Every page and every form by every role, on everything or on one team, on that team's things or another's, with a session or a token;
//! and without a credential or with one that does not hold.
//!
//! A token reaches pages too: `authenticate` takes a bearer wherever it comes from, and a form asks it for no token of its own, as no browser
//! sends one by itself. What holds for the API holds here: it is no person, and that of who may only read writes nothing.
//!
//! Every form is sent as its page would send it, so that a refusal is not that of a wrong field. Sessions are new: nobody is sent to `/confirm`.

mod forms;
mod routers;
mod site;

use super::Who::{self, Anybody, Least, Proven, SignedIn};
use super::cells::{About, Caller, With};
use forms::form;
use passerelle_contract::access::Role::{self, Admin, Developer, Operator};
use reqwest::StatusCode;
use site::{Site, Told, Visitor, address};
use std::collections::BTreeMap;

/// In the order in which they are tried: what takes something away comes after all that needs it.
const PAGES: &[(&str, &str, Who)] = &[
    ("get", "/", SignedIn),
    ("get", "/ui", Anybody),
    ("post", "/preferences", Anybody),
    ("get", "/sign-in", Anybody),
    ("post", "/sign-in", Anybody),
    ("post", "/sign-out", Anybody),
    ("get", "/confirm", SignedIn),
    ("post", "/confirm", SignedIn),
    ("get", "/auth/{provider}/confirm", SignedIn),
    ("get", "/auth/no-role", SignedIn),
    ("get", "/auth/{provider}/sign-in", Anybody),
    ("get", "/auth/{provider}/callback", Proven),
    ("get", "/auth/{provider}/sign-out", Anybody),
    ("post", "/auth/{provider}/backchannel-logout", Proven),
    ("get", "/setup", Anybody),
    ("post", "/setup", Proven),
    ("get", "/access", SignedIn),
    ("post", "/access/roles", Least(Admin)),
    ("post", "/access/roles/{id}/delete", Least(Admin)),
    ("get", "/access/users", Least(Admin)),
    ("post", "/access/users", Least(Admin)),
    ("get", "/access/users/{name}", Least(Admin)),
    ("post", "/access/users/{name}", Least(Admin)),
    ("get", "/access/tokens", SignedIn),
    ("post", "/access/tokens", SignedIn),
    ("post", "/access/tokens/{id}/delete", SignedIn),
    ("get", "/access/sessions", SignedIn),
    // Those of somebody else. One's own end for anybody who is signed in, and with them the other cells.
    ("post", "/access/sessions", Least(Admin)),
    ("post", "/access/sessions/{id}/delete", SignedIn),
    ("get", "/access/sign-in", SignedIn),
    ("post", "/access/sign-in/{provider}", SignedIn),
    ("get", "/access/why", SignedIn),
    ("get", "/access/simulate", Least(Admin)),
    ("get", "/access/who", Least(Admin)),
    ("get", "/alerts", SignedIn),
    ("get", "/audit", Least(Developer)),
    // The form is shown to everybody; the right is asked for when it is sent.
    ("get", "/catalog/import", SignedIn),
    ("post", "/catalog/import", Least(Admin)),
    ("get", "/services", SignedIn),
    ("get", "/services/{namespace}/{name}", SignedIn),
    ("get", "/services/{namespace}/{name}/waivers", SignedIn),
    ("post", "/services/{namespace}/{name}/waivers", Least(Operator)),
    ("post", "/waivers/{id}/revoke", Least(Operator)),
    ("get", "/systems", SignedIn),
    ("get", "/systems/{namespace}/{name}", SignedIn),
    ("get", "/entities/{kind}/{namespace}/{name}", SignedIn),
    ("get", "/deployments", SignedIn),
    ("get", "/deployments/{id}", SignedIn),
    ("get", "/deployments/{id}/live", SignedIn),
    ("post", "/deployments/{id}/cancel", Least(Developer)),
    ("post", "/deployments/{id}/approval", Least(Developer)),
    ("get", "/approve/{token}", SignedIn),
    ("post", "/approve/{token}", Least(Developer)),
    ("post", "/deployments/{id}/change", Least(Developer)),
    // Where to and what is chosen by everybody who may see the service; a plan is made for who may deploy.
    ("get", "/services/{namespace}/{name}/deploy", SignedIn),
    ("post", "/services/{namespace}/{name}/deploy", Least(Developer)),
    ("get", "/services/{namespace}/{name}/rollback", Least(Developer)),
    ("post", "/services/{namespace}/{name}/rollback", Least(Developer)),
    ("get", "/services/{namespace}/{name}/{act}", SignedIn),
    ("post", "/services/{namespace}/{name}/{act}", Least(Developer)),
    ("get", "/approvals", SignedIn),
    ("get", "/break-glass", SignedIn),
    ("get", "/gates", SignedIn),
    ("get", "/gates/{tier}", SignedIn),
    ("post", "/gates/{tier}", Least(Admin)),
    ("get", "/freezes", SignedIn),
    ("get", "/freezes/new", SignedIn),
    ("post", "/freezes/new", Least(Operator)),
    ("post", "/freezes/stop", Least(Operator)),
    // Everybody knows of every freeze.
    ("get", "/freezes/{id}", SignedIn),
    ("post", "/freezes/{id}", Least(Operator)),
    ("post", "/freezes/{id}/lift", Least(Operator)),
    ("get", "/releases/{id}", SignedIn),
    ("get", "/services/{namespace}/{name}/break-glass", SignedIn),
    ("post", "/services/{namespace}/{name}/break-glass", Least(Developer)),
    ("get", "/notifications", Least(Developer)),
    ("get", "/notifications/channels/new", Least(Admin)),
    ("post", "/notifications/channels/new", Least(Admin)),
    ("get", "/notifications/channels/{name}", Least(Developer)),
    ("post", "/notifications/channels/{name}", Least(Admin)),
    ("post", "/notifications/channels/{name}/test", Least(Admin)),
    ("post", "/notifications/channels/{name}/delete", Least(Admin)),
    ("get", "/notifications/rules", Least(Developer)),
    ("get", "/notifications/rules/new", Least(Admin)),
    ("post", "/notifications/rules/new", Least(Admin)),
    ("get", "/notifications/rules/{id}", Least(Developer)),
    ("post", "/notifications/rules/{id}", Least(Admin)),
    ("post", "/notifications/rules/{id}/delete", Least(Admin)),
    ("get", "/notifications/deliveries", Least(Developer)),
    ("post", "/notifications/deliveries/{id}/retry", Least(Operator)),
    ("get", "/onboard", SignedIn),
    ("get", "/onboard/{template}", Least(Developer)),
    ("post", "/onboard/{template}", Least(Developer)),
    ("get", "/onboard/{template}/adopt", Least(Developer)),
    ("post", "/onboard/{template}/adopt", Least(Developer)),
    ("get", "/onboarding/{id}", SignedIn),
    ("post", "/onboarding/{id}/retry", Least(Developer)),
    ("get", "/onboarding/{id}/update", SignedIn),
    ("post", "/onboarding/{id}/update", Least(Developer)),
    ("get", "/onboarding/{id}/deliveries", SignedIn),
    ("post", "/onboarding/{id}/deliveries", Least(Developer)),
    ("post", "/onboarding/{id}/deliveries/{delivery}/retry", Least(Developer)),
    ("post", "/onboarding/{id}/deliveries/{delivery}/undo", Least(Developer)),
    ("get", "/slos", SignedIn),
    // These three forms list connections, which whoever has a role on everything may read.
    ("get", "/slos/import", Least(Developer)),
    ("post", "/slos/import", Least(Operator)),
    ("get", "/slos/new", Least(Developer)),
    ("post", "/slos/new", Least(Operator)),
    ("get", "/slos/policies", SignedIn),
    ("post", "/slos/policies/{tier}", Least(Admin)),
    ("get", "/slos/{id}/edit", Least(Developer)),
    ("post", "/slos/{id}/edit", Least(Operator)),
    ("get", "/slos/{id}", SignedIn),
    ("get", "/slos/{id}/source", SignedIn),
    ("post", "/slos/{id}/corrections", Least(Admin)),
    ("post", "/slos/{id}/postmortems/{task}", Least(Developer)),
    ("post", "/slos/{id}/delete", Least(Operator)),
    ("get", "/environments", SignedIn),
    ("get", "/environments/new", SignedIn),
    ("post", "/environments/new", Least(Admin)),
    ("get", "/environments/{name}", SignedIn),
    ("post", "/environments/{name}", Least(Admin)),
    ("get", "/connections", Least(Developer)),
    ("get", "/connections/new", Least(Admin)),
    ("post", "/connections/new", Least(Admin)),
    ("get", "/connections/{name}", Least(Developer)),
    ("post", "/connections/{name}", Least(Admin)),
    ("post", "/connections/{name}/check", Least(Developer)),
    ("post", "/connections/{name}/delete", Least(Admin)),
    ("get", "/bindings", SignedIn),
    // Both read the connection, so a role on one team is not enough, other than through the API.
    ("get", "/bindings/new", Least(Developer)),
    ("post", "/bindings/new", Least(Admin)),
    ("get", "/bindings/{id}", SignedIn),
    ("post", "/bindings/{id}", Least(Admin)),
    ("post", "/bindings/{id}/delete", Least(Admin)),
];

fn about(method: &str, path: &str, who: Who) -> About {
    let services = [
        "/services/{namespace}",
        "/waivers/{id}",
        "/deployments/{id}",
        "/releases/{id}",
        "/onboarding/{id}",
        "/slos/{id}",
        "/bindings/{id}",
    ];
    let in_form = ["/freezes/new", "/freezes/{id}", "/freezes/{id}/lift", "/slos/import", "/slos/new"];
    // Its form lists connections, which are the portal's.
    let edits = (method, path) == ("get", "/slos/{id}/edit");
    if !edits && (services.iter().any(|start| path.starts_with(start)) || (method == "post" && in_form.contains(&path)))
    {
        About::Service
    } else if matches!(who, Anybody | SignedIn) || path == "/audit" || path.starts_with("/onboard/") {
        About::Shared
    } else {
        About::Portal
    }
}

/// Only a person with a session may.
fn needs_session(method: &str, path: &str) -> bool {
    let acts = ["/deployments/{id}/approval", "/approve/{token}", "/services/{namespace}/{name}/break-glass"];
    let own = ["/confirm", "/auth/{provider}/confirm", "/access/sign-in/{provider}"];
    own.contains(&path) || (method == "post" && acts.contains(&path))
}

/// Whether the table allows it.
fn allowed(method: &str, path: &str, who: Who, caller: &Caller, own: bool) -> bool {
    let writes = method == "post";
    let token = caller.with == With::Token;
    if token && (needs_session(method, path) || (writes && caller.role == Role::Viewer)) {
        return false;
    }
    let reached = match about(method, path, who) {
        About::Service => caller.everything || own,
        About::Shared => true,
        About::Portal => caller.everything,
    };
    match who {
        Anybody => true,
        SignedIn => reached,
        Least(least) => caller.role >= least && reached,
        Proven => false,
    }
}

/// Whether all that a page or a form names is there, so that those who may are not told that it is not.
fn exists(method: &str, path: &str) -> bool {
    // The first one who may takes it away; what others need is not named at all.
    let taken = path.ends_with("/delete") || path == "/notifications/channels/{name}/test";
    let nobodys = ["{provider}", "{token}", "{delivery}", "{task}"].iter().any(|place| path.contains(place))
        || path.starts_with("/notifications/deliveries/{id}");
    // The attempt to go back to, and the user whose sessions end, are not there.
    let in_form = ["/services/{namespace}/{name}/rollback", "/access/sessions"];
    !(taken || nobodys || (method == "post" && in_form.contains(&path)))
}

/// Each caller has one session for all cells; `tests/it/sign_in` is about leaving.
fn ends_the_caller(path: &str) -> bool {
    path == "/sign-out"
}

/// Whether nobody was answered as the table says.
fn nobody_is_answered(who: Who, credential: Option<(With, &str)>, told: &Told) -> bool {
    match (who, credential) {
        // A bad token never passes for nobody.
        (_, Some((With::Token, _))) => {
            matches!(told.status, StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS)
        }
        (Anybody, _) => told.open(),
        (Proven, _) => told.status.is_client_error(),
        _ => told.leads("/sign-in"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_and_form_is_as_the_table_says() {
    let site = Site::make().await;
    let visitors = site.visitors().await;
    let (mut wrong, mut cells) = (Vec::new(), BTreeMap::<&str, usize>::new());
    for &(method, path, who) in PAGES.iter().filter(|(_, path, _)| !ends_the_caller(path)) {
        for Visitor { caller, csrf } in &visitors {
            // Whoever reaches everything, and pages without a service, know no other team.
            let both = about(method, path, who) == About::Service && !caller.everything;
            for (own, place) in [(true, site.own()), (false, site.other())].into_iter().take(if both { 2 } else { 1 }) {
                let mut fields = form(&site, path, place, cells.values().sum());
                fields.push(("csrf", csrf.clone()));
                let address = address(&site, method, path, place);
                let told = site.ask(method, &address, Some((caller.with, &caller.credential)), &fields).await;
                let expected = allowed(method, path, who, caller, own);
                let good = match (who, expected) {
                    (Anybody, true) => told.open(),
                    (Proven, _) => told.status.is_client_error() && !told.cross_site,
                    (_, true) => told.taken(exists(method, path)),
                    (_, false) => told.refused(),
                };
                *cells.entry(if expected { "allowed" } else { "refused" }).or_default() += 1;
                if !good {
                    let (role, with) = (caller.role.as_str(), caller.with);
                    let reach = if caller.everything { "everything" } else { "the team" };
                    wrong.push(format!(
                        "{method} {path} by {role} of {reach} ({with:?}), own {own}: {told:?}, allowed {expected}"
                    ));
                }
            }
        }
        for credential in
            [None, Some((With::Token, "Bearer psl_x_y")), Some((With::Session, "passerelle_session=AAAA"))]
        {
            let fields = form(&site, path, site.own(), cells.values().sum());
            let told = site.ask(method, &address(&site, method, path, site.own()), credential, &fields).await;
            *cells.entry("nobody").or_default() += 1;
            if !nobody_is_answered(who, credential, &told) {
                wrong.push(format!("{method} {path} by nobody ({credential:?}): {told:?}"));
            }
        }
    }
    let all: usize = cells.values().sum();
    println!("{all} cells: {cells:?}");
    assert!(wrong.is_empty(), "{} of {all} cells are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(all >= 2500, "{all} cells");
}
