//! Which release comes of what was built. Pure.

use crate::kernel::validate;
use passerelle_contract::deployments::ReleaseIn;
use passerelle_contract::{Text, text};
use passerelle_targets::ImageRef;
use serde_json::Value;

/// What is kept of a description.
const NOTES: usize = 3_900;
/// How many digits of a commit an image is usually named by.
const SHORT: usize = 7;

/// What an event says was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A release or a tag.
    Tag(String),
    /// An image in the provider's registry, with its tag and where possible its digest.
    Image(String),
    /// A run that built a commit.
    Passed { workflow: Option<String>, branch: String },
}

/// An event that is about a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// `owner/name`, or the path of a project.
    pub repository: String,
    /// Its page.
    pub repository_url: Option<String>,
    pub what: What,
    pub commit: Option<String>,
    /// The page of the run or of the release.
    pub url: Option<String>,
    pub notes: Option<String>,
}

/// How an event is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Built(Box<Built>),
    /// It makes no release: why.
    Ignored(Text),
}

/// A service that comes out of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// `namespace/name`.
    pub service: String,
    /// Its image, with a placeholder in the tag.
    pub image: String,
    /// The workflow that builds it; without one no run makes a release (GitHub).
    pub workflow: Option<String>,
    pub branch: String,
}

/// The release of a service, or why there is none.
///
/// # Errors
/// A sentence for who looks at the delivery.
pub fn release(built: &Built, source: &Source, any_workflow: bool) -> Result<ReleaseIn, Text> {
    let (version, image) = match &built.what {
        What::Tag(tag) => (tag.clone(), filled(&source.image, Some(tag), built.commit.as_deref())?),
        What::Image(image) => pushed(image, source)?,
        What::Passed { workflow, branch } => {
            if !any_workflow && (source.workflow.is_none() || source.workflow != *workflow) {
                return Err(text!("the run is not of the workflow that builds {service}", service = &source.service));
            }
            if *branch != source.branch {
                let (service, wanted) = (&source.service, &source.branch);
                return Err(text!(
                    "{service} is built on {wanted}, and the run is of {branch}",
                    service,
                    wanted,
                    branch
                ));
            }
            let image = filled(&source.image, None, built.commit.as_deref())?;
            (version_in(&source.image, built.commit.as_deref().unwrap_or_default()), image)
        }
    };
    let tag = if let What::Tag(tag) = &built.what { Some(tag.clone()) } else { None };
    Ok(ReleaseIn {
        service: source.service.clone(),
        version,
        git_ref: built.commit.clone().or(tag),
        commit: built.commit.clone(),
        image,
        build_url: built.url.clone(),
        notes: built.notes.clone(),
        repository_url: built.repository_url.clone(),
        manifests: None,
    })
}

/// An image that was pushed, when it is the service's.
fn pushed(image: &str, source: &Source) -> Result<(String, String), Text> {
    let other = || text!("the image is not the one of {service}", service = &source.service);
    let pushed = ImageRef::parse(image).map_err(|error| error.text())?;
    let (name, tag) = source.image.rsplit_once(':').ok_or_else(other)?;
    let version = pushed.tag.clone().ok_or_else(|| text!("the image has no tag"))?;
    if pushed.name != name || !named_by_tag(tag) {
        return Err(other());
    }
    Ok((version, image.to_owned()))
}

fn named_by_tag(template: &str) -> bool {
    template.contains("{tag}") || template.contains("{version}")
}

/// The template with its placeholder filled in.
fn filled(template: &str, tag: Option<&str>, commit: Option<&str>) -> Result<String, Text> {
    let mut image = template.to_owned();
    match (named_by_tag(template), tag, commit) {
        (true, Some(tag), _) => {
            let bare = tag.strip_prefix('v').filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit()));
            image = image.replace("{tag}", tag).replace("{version}", bare.unwrap_or(tag));
        }
        (true, None, _) => return Err(text!("its images are named by tags, and the event names none")),
        (false, _, Some(commit)) => {
            image = image.replace("{sha}", commit).replace("{short_sha}", &commit[..SHORT.min(commit.len())]);
        }
        (false, _, None) => return Err(text!("its images are named by commits, and the event names none")),
    }
    ImageRef::parse(&image).map(|image| image.to_string()).map_err(|error| error.text())
}

fn version_in(template: &str, commit: &str) -> String {
    let digits = if template.contains("{short_sha}") { SHORT } else { commit.len() };
    commit.chars().take(digits).collect()
}

/// A commit in full; anything else is none.
pub fn commit(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let good = matches!(text.len(), 40 | 64)
        && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    good.then(|| text.to_owned())
}

/// A page; anything that a browser should not open is none.
pub fn page(value: &Value) -> Option<String> {
    value.as_str().filter(|url| validate::link(url)).map(str::to_owned)
}

/// A description as notes: what may not be kept is left out.
pub fn notes(value: &Value) -> Option<String> {
    let kept = |sign: &char| !validate::is_deceptive(*sign);
    let text: String = value.as_str()?.chars().filter(kept).take(NOTES).collect();
    (!text.trim().is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

    fn built(what: What, commit: Option<&str>) -> Built {
        Built {
            repository: "acme/shop".to_owned(),
            repository_url: Some("https://github.com/acme/shop".to_owned()),
            what,
            commit: commit.map(str::to_owned),
            url: None,
            notes: None,
        }
    }

    fn source(image: &str) -> Source {
        let workflow = Some("build.yml".to_owned());
        Source { service: "shop/web".to_owned(), image: image.to_owned(), workflow, branch: "main".to_owned() }
    }

    fn run(workflow: &str, branch: &str) -> What {
        What::Passed { workflow: Some(workflow.to_owned()), branch: branch.to_owned() }
    }

    #[test]
    fn a_tag_names_version_and_image() {
        let of =
            |template: &str, commit| release(&built(What::Tag("v1.2".to_owned()), commit), &source(template), false);
        let made = of("ghcr.io/acme/web:{tag}", None).unwrap();
        assert_eq!(
            (made.version.as_str(), made.image.as_str(), made.git_ref.as_deref()),
            ("v1.2", "ghcr.io/acme/web:v1.2", Some("v1.2"))
        );
        assert_eq!(of("ghcr.io/acme/web:{version}", None).unwrap().image, "ghcr.io/acme/web:1.2");
        let by_commit = of("ghcr.io/acme/web:{short_sha}", Some(SHA)).unwrap();
        assert_eq!((by_commit.image.as_str(), by_commit.git_ref.as_deref()), ("ghcr.io/acme/web:0123456", Some(SHA)));
        assert!(of("ghcr.io/acme/web:{sha}", None).is_err());
        let odd = release(&built(What::Tag("a b".to_owned()), None), &source("web:{tag}"), false);
        assert!(odd.is_err(), "a tag that is no tag of an image");
    }

    #[test]
    fn a_run_counts_when_it_is_of_the_workflow_and_branch_that_build() {
        let of = |what, template: &str| release(&built(what, Some(SHA)), &source(template), false);
        let made = of(run("build.yml", "main"), "web:{short_sha}").unwrap();
        assert_eq!(
            (made.version.as_str(), made.image.as_str(), made.commit.as_deref()),
            ("0123456", "web:0123456", Some(SHA))
        );
        assert!(of(run("lint.yml", "main"), "web:{sha}").is_err());
        assert!(of(run("build.yml", "topic"), "web:{sha}").is_err());
        assert!(of(run("build.yml", "main"), "web:{tag}").is_err());
        let none = What::Passed { workflow: None, branch: "main".to_owned() };
        assert!(of(none.clone(), "web:{sha}").is_err());
        assert!(release(&built(none, Some(SHA)), &source("web:{sha}"), true).is_ok(), "a pipeline of GitLab");
    }

    #[test]
    fn a_pushed_image_has_to_be_the_services_own() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let of = |image: &str, template: &str| {
            release(&built(What::Image(image.to_owned()), None), &source(template), false)
        };
        let image = format!("ghcr.io/acme/web:1.2@{digest}");
        let made = of(&image, "ghcr.io/acme/web:{tag}").unwrap();
        assert_eq!((made.version.as_str(), made.image.as_str()), ("1.2", image.as_str()));
        for (image, template) in [
            ("ghcr.io/acme/api:1.2", "ghcr.io/acme/web:{tag}"),
            ("ghcr.io/acme/web:1.2", "ghcr.io/acme/web:{sha}"),
            ("ghcr.io/acme/web", "ghcr.io/acme/web:{tag}"),
        ] {
            assert!(of(image, template).is_err(), "{image}");
        }
    }

    #[test]
    fn what_may_not_be_kept_is_left_out() {
        assert_eq!(notes(&json!("fixed\u{202e}\u{0}\n- one")).as_deref(), Some("fixed\n- one"));
        assert_eq!((notes(&json!(" ")), notes(&Value::Null)), (None, None));
        assert_eq!((commit(&json!("main")), commit(&json!(SHA)).as_deref()), (None, Some(SHA)));
        assert_eq!((page(&json!("javascript:alert(1)")), page(&json!(3))), (None, None));
    }
}
