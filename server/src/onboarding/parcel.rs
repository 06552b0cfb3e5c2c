//! What a delivery brings, made from what was written down of it: the same each time.

use passerelle_contract::delivery::{DeliveryInto, DeliveryPurpose, DeliveryStep, FileDeliveryIn};
use passerelle_forges::{Entry, Into, Mark, Parcel};
use passerelle_templates::RenderedFile;
use time::OffsetDateTime;
use uuid::Uuid;

/// What the words of a commit and of a request are made from.
#[derive(Debug)]
pub struct About<'a> {
    /// `namespace/name`.
    pub service: &'a str,
    pub template: &'a str,
    pub version: &'a str,
    pub asked_by: &'a str,
    pub at: OffsetDateTime,
}

/// What the files are to their service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Title {
    /// It is made of them.
    Adds,
    /// It was there before.
    Adopts,
}

/// The files that a service was made of, or got when it was adopted.
pub fn of_files(onboarding: Uuid, about: &About<'_>, title: Title, files: Vec<RenderedFile>) -> Parcel {
    let entry =
        |file: RenderedFile| Entry { path: file.path, content: Some(file.content), executable: file.executable };
    parcel(
        onboarding,
        format!("passerelle/{}-{}", name_of(about.service), tail(onboarding)),
        match title {
            Title::Adds => format!("Add {} from {} {}", name_of(about.service), about.template, about.version),
            Title::Adopts => format!("Bring {} onto {} {}", name_of(about.service), about.template, about.version),
        },
        about,
        files.into_iter().map(entry).collect(),
    )
}

/// What a later version of the template changes; `left` is what it leaves although it differs.
pub fn of_update(delivery: Uuid, about: &About<'_>, changes: Vec<Entry>, left: &[Entry]) -> Parcel {
    let conflicts: Vec<&str> = changes.iter().filter(|file| is_conflict(file)).map(|file| file.path.as_str()).collect();
    let mut notes = listed(
        "Both sides changed the same lines of these; decide between the markers before this is taken in",
        &conflicts,
    );
    let left: Vec<&str> = left.iter().map(|file| file.path.as_str()).collect();
    notes.push_str(&listed("These stay as they are, although the new version differs", &left));
    let mark = if conflicts.is_empty() { "" } else { " (with conflicts)" };
    let title = format!("Update {} to {} {}{mark}", name_of(about.service), about.template, about.version);
    let branch = format!("passerelle/{}-update-{}", name_of(about.service), tail(delivery));
    let mut parcel = parcel(delivery, branch, title, about, changes);
    parcel.body.push_str(&notes);
    parcel
}

/// Holds the markers that a merge leaves.
fn is_conflict(file: &Entry) -> bool {
    let opens = |line: &str| line.trim_start_matches('<') == " ours" && line.starts_with("<<<<<<<");
    file.content.as_deref().is_some_and(|content| content.lines().any(opens))
}

/// Names of files as a list of Markdown; nothing for none.
fn listed(words: &str, paths: &[&str]) -> String {
    if paths.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = paths.iter().map(|path| format!("- `{path}`\n")).collect();
    format!("\n{words}:\n\n{}", lines.concat())
}

fn parcel(mark: Uuid, branch: String, title: String, about: &About<'_>, files: Vec<Entry>) -> Parcel {
    let body = format!(
        "Files of `{}` by the golden path `{}`, version `{}`. Asked for by `{}` in Passerelle.\n",
        about.service, about.template, about.version, about.asked_by
    );
    Parcel { mark: Mark(mark), branch, title, body, at: about.at, files }
}

/// Without its namespace.
fn name_of(service: &str) -> &str {
    service.rsplit('/').next().unwrap_or(service)
}

/// Enough of an id to tell one from another; its beginning is a time.
fn tail(id: Uuid) -> String {
    let text = id.simple().to_string();
    text[text.len() - 12..].to_owned()
}

/// Which kind of place.
pub fn into(destination: &FileDeliveryIn) -> Into {
    match destination.into {
        DeliveryInto::New => Into::New { private: destination.private.unwrap_or(true) },
        DeliveryInto::Existing => Into::Existing { base: destination.base.clone() },
    }
}

/// What has to be done, in its order. A folder of repositories has nobody to ask.
pub fn steps(purpose: DeliveryPurpose, destination: &FileDeliveryIn) -> Vec<DeliveryStep> {
    let mut steps = vec![DeliveryStep::Repository, DeliveryStep::Commit];
    if destination.connection.is_some() && destination.into == DeliveryInto::Existing {
        steps.push(DeliveryStep::Proposal);
    }
    if purpose == DeliveryPurpose::Update {
        steps.push(DeliveryStep::Merge);
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(connection: Option<&str>, into: DeliveryInto) -> FileDeliveryIn {
        FileDeliveryIn {
            connection: connection.map(str::to_owned),
            repository: "acme/orders".to_owned(),
            into,
            base: None,
            private: None,
        }
    }

    #[test]
    fn branch_and_words_come_from_the_onboarding() {
        let id = Uuid::from_u128(0xabc);
        let about = About {
            service: "shop/orders",
            template: "small-service",
            version: "1.0.0",
            asked_by: "root",
            at: OffsetDateTime::UNIX_EPOCH,
        };
        let files = vec![RenderedFile { path: "a".to_owned(), content: "b".to_owned(), executable: true }];
        let parcel = of_files(id, &about, Title::Adds, files);
        assert_eq!((parcel.branch.as_str(), parcel.mark), ("passerelle/orders-000000000abc", Mark(id)));
        assert_eq!(parcel.title, "Add orders from small-service 1.0.0");
        assert!(passerelle_forges::Reference::try_from(parcel.branch).is_ok() && parcel.files[0].executable);
    }

    #[test]
    fn an_update_names_what_somebody_has_to_decide() {
        let about = About {
            service: "shop/orders",
            template: "small-service",
            version: "1.1.0",
            asked_by: "root",
            at: OffsetDateTime::UNIX_EPOCH,
        };
        let entry = |path: &str, content: &str| Entry {
            path: path.to_owned(),
            content: Some(content.to_owned()),
            executable: false,
        };
        let changes = vec![entry("a", "<<<<<<< ours\n1\n=======\n2\n>>>>>>> theirs\n"), entry("b", "1\n")];
        let parcel = of_update(Uuid::from_u128(1), &about, changes, &[entry("c", "")]);
        assert_eq!(parcel.title, "Update orders to small-service 1.1.0 (with conflicts)");
        assert!(
            parcel.body.contains("- `a`\n") && parcel.body.contains("- `c`\n") && !parcel.body.contains("`b`"),
            "{}",
            parcel.body
        );
    }

    #[test]
    fn nobody_is_asked_where_there_is_nobody() {
        use DeliveryStep::{Commit, Merge, Proposal, Repository};
        let steps = |purpose, connection, into| steps(purpose, &to(connection, into));
        let (files, update) = (DeliveryPurpose::Files, DeliveryPurpose::Update);
        assert_eq!(steps(files, Some("github"), DeliveryInto::New), [Repository, Commit]);
        assert_eq!(steps(files, Some("github"), DeliveryInto::Existing), [Repository, Commit, Proposal]);
        assert_eq!(steps(files, None, DeliveryInto::Existing), [Repository, Commit]);
        assert_eq!(steps(update, None, DeliveryInto::Existing), [Repository, Commit, Merge]);
    }
}
