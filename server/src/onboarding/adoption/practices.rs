//! Which practices of a golden path a set of files shows. The same judgement says which file of the golden path would bring one.

use super::{Seen, is_dockerfile, is_stack, is_yaml, name_of};
use passerelle_contract::adoption::{Practice, PracticeOut, Standing};
use passerelle_contract::{Text, text};
use passerelle_templates::RenderedFile;

/// What one file says of one practice.
#[derive(Debug, Clone, PartialEq)]
enum Says {
    Has,
    HasOtherwise(Text),
}

/// The practices that the golden path has, against the repository.
pub fn judged(seen: &Seen, rendered: &[RenderedFile]) -> Vec<PracticeOut> {
    let judge = |practice: Practice| {
        let brings = |file: &&RenderedFile| says(practice, &file.path, Some(&file.content)) == Some(Says::Has);
        let brought_by: Vec<String> = rendered.iter().filter(brings).map(|file| file.path.clone()).collect();
        // What the golden path itself has not is none of its practices.
        (!brought_by.is_empty()).then(|| told(practice, seen, brought_by))
    };
    Practice::ALL.into_iter().filter_map(judge).collect()
}

fn told(practice: Practice, seen: &Seen, brought_by: Vec<String>) -> PracticeOut {
    let mut out = PracticeOut { practice, standing: Standing::Missing, path: None, message: None, brought_by };
    for path in &seen.paths {
        match says(practice, path, seen.texts.get(path).map(String::as_str)) {
            Some(Says::Has) => {
                return PracticeOut { standing: Standing::There, path: Some(path.clone()), message: None, ..out };
            }
            Some(Says::HasOtherwise(message)) if out.standing == Standing::Missing => {
                (out.standing, out.path, out.message) = (Standing::Differs, Some(path.clone()), Some(message));
            }
            _ => {}
        }
    }
    out
}

fn says(practice: Practice, path: &str, text: Option<&str>) -> Option<Says> {
    let has = |found: bool| found.then_some(Says::Has);
    let name = name_of(path);
    let yaml = text.filter(|_| is_yaml(path));
    let kind = |wanted: &[&str]| has(yaml.is_some_and(|text| wanted.iter().any(|kind| is_kind(text, kind))));
    let dockerfile = text.filter(|_| is_dockerfile(path));
    match practice {
        Practice::Container => has(is_dockerfile(path)),
        Practice::PinnedImage => dockerfile.map(pinned),
        Practice::NonRoot => dockerfile.map(user).or_else(|| has(yaml?.contains("runAsNonRoot: true"))),
        Practice::Probes => probes(path, text?),
        Practice::ContainerIgnore => has(name == ".dockerignore"),
        Practice::Catalog => catalog(name, text),
        Practice::Objectives => has(yaml.is_some_and(is_objective)),
        Practice::Rules => has(yaml.is_some_and(|text| lines(text).any(|line| bare(line).starts_with("alert:")))),
        Practice::Runbook => has(name.to_ascii_lowercase().contains("runbook") && name.ends_with(".md")),
        Practice::Pipeline => {
            has(name == ".gitlab-ci.yml" || (path.starts_with(".github/workflows/") && is_yaml(path)))
        }
        Practice::Checks => has(name == ".pre-commit-config.yaml"),
        Practice::Autoscaler => kind(&["HorizontalPodAutoscaler", "ScaledObject"]),
        Practice::DisruptionBudget => kind(&["PodDisruptionBudget"]),
        Practice::NetworkPolicy => kind(&["NetworkPolicy", "CiliumNetworkPolicy"]),
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.starts_with('#'))
}

/// Without the mark of an item.
fn bare(line: &str) -> &str {
    line.trim_start_matches("- ").trim_start()
}

fn is_kind(text: &str, kind: &str) -> bool {
    lines(text).any(|line| line.strip_prefix("kind:").is_some_and(|rest| rest.trim().trim_matches(['"', '\'']) == kind))
}

/// `OpenSLO`, sloth's own or pyrra's.
fn is_objective(text: &str) -> bool {
    (text.contains("openslo/") && is_kind(text, "SLO"))
        || is_kind(text, "ServiceLevelObjective")
        || is_kind(text, "PrometheusServiceLevel")
        || lines(text).any(|line| line.trim_matches(['"', '\'']).replace(['"', '\''], "") == "version: prometheus/v1")
}

fn catalog(name: &str, text: Option<&str>) -> Option<Says> {
    if !matches!(name, "catalog-info.yaml" | "catalog-info.yml") {
        return None;
    }
    let described = text.is_none_or(|text| is_kind(text, "Component"));
    Some(if described { Says::Has } else { Says::HasOtherwise(text!("it describes no Component")) })
}

/// The instructions of a Dockerfile, continued lines put together.
fn instructions(text: &str) -> Vec<(String, String)> {
    let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
    lines(&joined)
        .filter_map(|line| line.split_once(char::is_whitespace))
        .map(|(word, rest)| (word.to_ascii_uppercase(), rest.trim().to_owned()))
        .collect()
}

/// The images that a Dockerfile builds on; not its own stages.
pub fn images(text: &str) -> Vec<String> {
    let mut stages: Vec<String> = Vec::new();
    let mut images = Vec::new();
    for (_, rest) in instructions(text).into_iter().filter(|(word, _)| word == "FROM") {
        let words: Vec<&str> = rest.split_whitespace().filter(|word| !word.starts_with("--")).collect();
        let image = words.first().copied().unwrap_or_default();
        if image != "scratch" && !stages.iter().any(|stage| stage == image) {
            images.push(image.to_owned());
        }
        if let [_, by, stage, ..] = words.as_slice()
            && by.eq_ignore_ascii_case("as")
        {
            stages.push((*stage).to_owned());
        }
    }
    images
}

fn pinned(text: &str) -> Says {
    match images(text).into_iter().find(|image| !image.contains("@sha256:")) {
        None => Says::Has,
        Some(image) => Says::HasOtherwise(text!("{image} has no digest: it is another image tomorrow", image)),
    }
}

fn user(text: &str) -> Says {
    let instructions = instructions(text);
    let last = instructions.iter().rposition(|(word, _)| word == "FROM").unwrap_or_default();
    let user = instructions.iter().skip(last).rfind(|(word, _)| word == "USER").map(|(_, user)| user.as_str());
    let name = user.unwrap_or("root").split(':').next().unwrap_or_default();
    if matches!(name, "root" | "0") { Says::HasOtherwise(text!("the image runs as root")) } else { Says::Has }
}

/// Where the platform asks the program: in manifests, in a stack, in the image.
fn probes(path: &str, text: &str) -> Option<Says> {
    let has = |word: &str| lines(text).any(|line| bare(line).starts_with(word));
    if is_stack(path) {
        return has("healthcheck:").then_some(Says::Has);
    }
    if is_dockerfile(path) {
        return has("HEALTHCHECK ").then_some(Says::Has);
    }
    if path.ends_with(".tf") {
        return has("startup_probe").then_some(Says::Has);
    }
    if !is_yaml(path) {
        return None;
    }
    if has("readinessProbe:") {
        return Some(Says::Has);
    }
    has("livenessProbe:").then(|| Says::HasOtherwise(text!("nothing asks whether it is ready, only whether it lives")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(files: &[(&str, &str)]) -> Seen {
        let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
        Seen {
            paths: files.iter().map(|(path, _)| (*path).to_owned()).collect(),
            texts: files.iter().map(owned).collect(),
        }
    }

    fn golden() -> Vec<RenderedFile> {
        [
            ("Dockerfile", "FROM a/b:1@sha256:aa AS build\nFROM build\nUSER 10001\nHEALTHCHECK CMD true\n"),
            ("deploy/hpa.yaml", "kind: HorizontalPodAutoscaler\n"),
            ("deploy/pdb.yaml", "kind: PodDisruptionBudget\n"),
            ("slo/openslo.yaml", "apiVersion: openslo/v1\nkind: SLO\n"),
            ("catalog-info.yaml", "kind: Component\n"),
        ]
        .map(|(path, text)| RenderedFile { path: path.to_owned(), content: text.to_owned(), executable: false })
        .to_vec()
    }

    fn standing(files: &[(&str, &str)]) -> Vec<(Practice, Standing, Option<String>)> {
        judged(&seen(files), &golden()).into_iter().map(|one| (one.practice, one.standing, one.path)).collect()
    }

    #[test]
    fn only_what_the_golden_path_has_is_asked_for() {
        let all: Vec<Practice> = standing(&[]).into_iter().map(|(practice, ..)| practice).collect();
        let wanted = [
            Practice::Container,
            Practice::PinnedImage,
            Practice::NonRoot,
            Practice::Probes,
            Practice::Catalog,
            Practice::Objectives,
            Practice::Autoscaler,
            Practice::DisruptionBudget,
        ];
        assert_eq!(all, wanted);
        assert!(standing(&[]).iter().all(|(_, standing, _)| *standing == Standing::Missing));
    }

    #[test]
    fn what_is_there_in_another_form_is_told_apart() {
        let judged = judged(
            &seen(&[
                ("Dockerfile", "from python:3.12 as build\nFROM build\nUSER root\n"),
                ("chart/templates/hpa.yaml", "{{- if .Values.hpa }}\nkind: HorizontalPodAutoscaler\n"),
                ("k8s/web.yaml", "        livenessProbe:\n          httpGet: {path: /}\n"),
                ("catalog-info.yml", "kind: Group\n"),
            ]),
            &golden(),
        );
        let of = |practice: Practice| judged.iter().find(|one| one.practice == practice).unwrap();
        assert_eq!(of(Practice::Container).standing, Standing::There);
        assert_eq!(
            of(Practice::PinnedImage).message.as_ref().unwrap().to_string(),
            "python:3.12 has no digest: it is another image tomorrow"
        );
        assert_eq!(of(Practice::NonRoot).standing, Standing::Differs);
        assert_eq!(of(Practice::Probes).path.as_deref(), Some("k8s/web.yaml"));
        assert_eq!(of(Practice::Autoscaler).standing, Standing::There);
        assert_eq!(of(Practice::Catalog).standing, Standing::Differs);
        assert_eq!(of(Practice::DisruptionBudget).brought_by, ["deploy/pdb.yaml"]);
    }

    #[test]
    fn a_comment_is_no_evidence() {
        let there = standing(&[
            ("k8s/a.yaml", "# kind: PodDisruptionBudget\n"),
            ("Dockerfile", "FROM a@sha256:b\nUSER app:app\n"),
        ]);
        assert!(there.contains(&(Practice::DisruptionBudget, Standing::Missing, None)));
        assert!(there.contains(&(Practice::NonRoot, Standing::There, Some("Dockerfile".to_owned()))));
    }
}
