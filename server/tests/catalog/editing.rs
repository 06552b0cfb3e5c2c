use crate::support::{Portal, admin, component, ctx, viewer};
use passerelle_contract::access::{Role, Scope};
use passerelle_contract::catalog::ServicePatch;
use passerelle_server::kernel::AppError;

fn title(text: &str) -> ServicePatch {
    ServicePatch { title: Some(text.to_owned()), ..ServicePatch::default() }
}

#[tokio::test]
async fn an_edit_lies_over_the_document_and_stays_over_imports() {
    let portal = Portal::new().await;
    let text = component("web", "");
    portal.import(&text).await;
    let patch = ServicePatch { tags: Some(vec!["edited".to_owned(), "edited".to_owned()]), ..title("Mine") };
    let entity = portal.catalog.patch_service(&admin(), "shop", "web", &patch, None).await.unwrap();
    assert_eq!((entity.title.as_deref(), entity.tags.as_slice()), (Some("Mine"), &["edited".to_owned()][..]));
    assert_eq!(entity.document["metadata"]["title"], "The web", "the document is as it was imported");
    portal.import(&text).await;
    portal.import(&text.replace("type: service", "type: website")).await;
    let entity = portal.catalog.get_service(&viewer(), "shop", "web").await.unwrap();
    assert_eq!((entity.title.as_deref(), entity.entity_type.as_deref()), (Some("Mine"), Some("website")));
    assert_eq!(entity.tags, ["edited"]);
    let entity = portal.catalog.patch_service(&admin(), "shop", "web", &title(""), None).await.unwrap();
    assert_eq!(entity.title.as_deref(), Some("The web"), "given back to the document");
    let audit = "SELECT count(*) FROM audit_events WHERE action = 'catalog.edit' AND service = 'shop/web' AND before IS NOT NULL";
    assert_eq!(portal.count(audit).await, 2);
}

#[tokio::test]
async fn edits_are_checked_by_field_by_role_and_by_revision() {
    let portal = Portal::new().await;
    portal.import(&component("web", "")).await;
    let edit = async |ctx: &passerelle_server::kernel::Ctx, name: &str, patch: &ServicePatch, read| {
        portal.catalog.patch_service(ctx, "shop", name, patch, read).await
    };
    let bad = ServicePatch { tags: Some(vec!["Bad Tag".to_owned()]), ..title("a\u{202e}b") };
    let Err(AppError::Invalid(errors)) = edit(&admin(), "web", &bad, None).await else { panic!("accepted") };
    assert_eq!(errors.iter().map(|error| error.pointer.as_str()).collect::<Vec<_>>(), ["/title", "/tags/0"]);
    assert!(matches!(edit(&viewer(), "web", &title("x"), None).await, Err(AppError::Forbidden(_))));
    let elsewhere = ctx(Role::Admin, Scope::Team("bank/desk".to_owned()));
    assert!(matches!(edit(&elsewhere, "web", &title("x"), None).await, Err(AppError::NotFound(_))));
    assert!(matches!(edit(&admin(), "absent", &title("x"), None).await, Err(AppError::NotFound(_))));
    let (_, revision) = portal.catalog.entity_json(&viewer(), "Component", "shop", "WEB").await.unwrap();
    edit(&admin(), "web", &title("first"), Some(revision)).await.unwrap();
    assert!(matches!(edit(&admin(), "web", &title("second"), Some(revision)).await, Err(AppError::Conflict(_))));
    let own_team = ctx(Role::Admin, Scope::Team("shop/payments".to_owned()));
    assert!(edit(&own_team, "web", &title("third"), None).await.is_ok());
}
