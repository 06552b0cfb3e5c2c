//! Answers that a repository gives by itself. Each question may have several candidates, the surest first; whether one is an answer the golden path's own
//! check decides.

use super::{Seen, is_dockerfile, is_stack, is_yaml, name_of};
use passerelle_contract::adoption::FoundAnswer;
use passerelle_lined_yaml::{Limits, parse};
use passerelle_targets::{Running, host_of};
use passerelle_templates::{Parameter, Template, Widget};
use serde_json::{Value, json};

/// Documents of one file that are read.
const MOST_DOCUMENTS: usize = 50;

/// A value that may answer a question.
#[derive(Debug, Clone, PartialEq)]
struct Candidate {
    question: &'static str,
    value: Value,
    told_by: String,
}

/// Candidates in the order in which they are believed.
#[derive(Debug, Default)]
pub struct Candidates(Vec<Candidate>);

impl Candidates {
    pub fn offer(&mut self, question: &'static str, value: impl Into<Value>, told_by: &str) {
        let value = value.into();
        if !value.is_null() && value != json!("") {
            self.0.push(Candidate { question, value, told_by: told_by.to_owned() });
        }
    }

    /// What something that runs tells.
    pub fn runs(&mut self, found: &Running, told_by: &str) {
        // `docker stack deploy` puts the stack's name before those of its services.
        let of_stack = found.name.strip_prefix(&format!("{}_", found.group)).unwrap_or(&found.name);
        self.offer("name", of_stack.to_ascii_lowercase().replace(['_', '.'], "-"), told_by);
        self.offer("namespace", found.group.clone(), told_by);
        self.offer("stack", found.group.clone(), told_by);
        self.offer("image", found.image.clone(), told_by);
        self.offer("replicas", found.replicas, told_by);
        self.offer("port", found.port, told_by);
        self.offer("ready_path", found.ready_path.clone(), told_by);
        self.offer("health_path", found.health_path.clone(), told_by);
        self.offer("host", found.host.clone(), told_by);
    }

    /// Everything that a repository tells.
    pub fn read(&mut self, repository: &str, seen: &Seen) {
        for path in seen.paths.iter().filter(|path| matches!(path.as_str(), "catalog-info.yaml" | "catalog-info.yml")) {
            self.catalog(path, seen);
        }
        for (path, text) in
            seen.texts.iter().filter(|(path, _)| is_yaml(path) && !name_of(path).starts_with("catalog-info"))
        {
            for document in documents(text) {
                if is_stack(path) { self.stack(path, &document) } else { self.manifest(path, &document) }
            }
        }
        for (path, text) in seen.texts.iter().filter(|(path, _)| is_dockerfile(path)) {
            self.dockerfile(path, text);
        }
        self.language(seen);
        let name = name_of(repository).trim_end_matches(".git");
        self.offer("name", name.to_ascii_lowercase().replace(['_', '.'], "-"), repository);
        self.offer("repository", repository.trim_end_matches(".git"), repository);
        if let Some(text) = seen.texts.get("README.md") {
            let first = text.lines().map(str::trim).find(|line| line.starts_with(|c: char| c.is_alphanumeric()));
            self.offer("description", first.unwrap_or_default(), "README.md");
        }
    }

    /// What the golden path takes of it for the questions that are not answered.
    pub fn answers(&self, template: &Template, is_answered: impl Fn(&str) -> bool) -> Vec<FoundAnswer> {
        let mut found = Vec::new();
        for parameter in template.parameters().iter().filter(|parameter| !is_answered(&parameter.name)) {
            let question = question_of(parameter);
            let fits = |one: &&Candidate| one.question == question && template.accepts(&parameter.name, &one.value);
            if let Some(one) = self.0.iter().find(fits) {
                let (value, told_by) = (one.value.clone(), one.told_by.clone());
                found.push(FoundAnswer { parameter: parameter.name.clone(), value, told_by });
            }
        }
        found
    }

    fn catalog(&mut self, path: &str, seen: &Seen) {
        let all = seen.texts.get(path).map(|text| documents(text)).unwrap_or_default();
        let Some(component) = all.iter().find(|document| document["kind"] == "Component") else { return };
        let (metadata, spec) = (&component["metadata"], &component["spec"]);
        let namespace = metadata["namespace"].as_str().unwrap_or("default");
        self.offer("name", metadata["name"].clone(), path);
        self.offer("description", metadata["description"].clone(), path);
        self.offer("repository", metadata["annotations"]["github.com/project-slug"].clone(), path);
        if let Some(owner) = spec["owner"].as_str() {
            let (kind, rest) = owner.split_once(':').unwrap_or(("group", owner));
            let whole = if rest.contains('/') { rest.to_owned() } else { format!("{namespace}/{rest}") };
            self.offer("owner", format!("{kind}:{whole}"), path);
            self.offer("owner", owner, path);
        }
        if let Some(system) = spec["system"].as_str() {
            let rest = system.rsplit(':').next().unwrap_or(system);
            self.offer(
                "system",
                if rest.contains('/') { rest.to_owned() } else { format!("{namespace}/{rest}") },
                path,
            );
        }
    }

    /// A document of Kubernetes.
    fn manifest(&mut self, path: &str, document: &Value) {
        let spec = &document["spec"];
        match document["kind"].as_str() {
            Some("Deployment" | "StatefulSet") => {
                self.offer("namespace", document["metadata"]["namespace"].clone(), path);
                self.offer("replicas", spec["replicas"].clone(), path);
                let container = &spec["template"]["spec"]["containers"][0];
                self.offer("image", container["image"].clone(), path);
                self.offer("port", container["ports"][0]["containerPort"].clone(), path);
                self.offer("ready_path", container["readinessProbe"]["httpGet"]["path"].clone(), path);
                self.offer("health_path", container["livenessProbe"]["httpGet"]["path"].clone(), path);
            }
            Some("Ingress") => self.offer("host", spec["rules"][0]["host"].clone(), path),
            Some("IngressRoute") => {
                self.offer("routing", "ingressroute", path);
                let rule = spec["routes"][0]["match"].as_str().unwrap_or_default();
                self.offer("host", host_of(rule), path);
            }
            _ => {}
        }
    }

    /// The first service of a stack that is built here, or the first.
    fn stack(&mut self, path: &str, document: &Value) {
        let Some(services) = document["services"].as_object() else { return };
        let built = services.values().find(|service| !service["build"].is_null());
        let Some(service) = built.or_else(|| services.values().next()) else { return };
        self.offer("image", service["image"].clone(), path);
        self.offer("replicas", service["deploy"]["replicas"].clone(), path);
        let labels = [&service["deploy"]["labels"], &service["labels"]];
        let words = labels.into_iter().flat_map(texts_of).find(|text| text.contains("Host("));
        self.offer("host", words.and_then(host_of), path);
    }

    fn dockerfile(&mut self, path: &str, text: &str) {
        let exposed = text.lines().filter_map(|line| line.trim().strip_prefix("EXPOSE ")).next_back();
        let port =
            exposed.and_then(|rest| rest.split(['/', ' ']).next()).and_then(|port| port.trim().parse::<u16>().ok());
        self.offer("port", port.map_or(Value::Null, Value::from), path);
    }

    fn language(&mut self, seen: &Seen) {
        let known = [
            ("Cargo.toml", "rust"),
            ("pyproject.toml", "python"),
            ("requirements.txt", "python"),
            ("package.json", "node"),
        ];
        for (file, language) in known {
            if seen.paths.iter().any(|path| path == file) {
                self.offer("language", language, file);
            }
        }
        // Whatever it is written in, it comes as an image.
        if let Some(path) = seen.paths.iter().find(|path| is_dockerfile(path)) {
            self.offer("language", "container", path);
        }
    }
}

/// The question behind a parameter: golden paths name some of them in their own way.
fn question_of(parameter: &Parameter) -> &str {
    match (parameter.widget, parameter.name.as_str()) {
        (Some(Widget::ServiceName), _) => "name",
        (Some(Widget::Owner), _) => "owner",
        (Some(Widget::System), _) => "system",
        (_, "base_image") => "image",
        (_, name) => name,
    }
}

/// Labels come as a list or as a mapping.
fn texts_of(labels: &Value) -> Vec<&str> {
    match labels {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        Value::Object(map) => map.values().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The documents that are YAML; a chart's templates are none.
fn documents(text: &str) -> Vec<Value> {
    let limits = Limits { bytes: 256 << 10, nodes: 20_000, ..Limits::default() };
    let normal = text.replace("\r\n", "\n");
    let pieces = normal.split("\n---").take(MOST_DOCUMENTS);
    pieces
        .filter_map(|piece| parse(piece.trim_start_matches("---"), 1, &limits).ok().flatten())
        .map(|one| one.value)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use passerelle_templates::Library;

    fn answers(template: &str, repository: &str, files: &[(&str, &str)]) -> Vec<(String, Value, String)> {
        let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
        let seen = Seen {
            paths: files.iter().map(|(path, _)| (*path).to_owned()).collect(),
            texts: files.iter().map(owned).collect(),
        };
        let mut candidates = Candidates::default();
        candidates.read(repository, &seen);
        let library = Library::embedded();
        let found = candidates.answers(library.get(template).unwrap(), |name| name == "health_path");
        found.into_iter().map(|one| (one.parameter, one.value, one.told_by)).collect()
    }

    #[test]
    fn a_repository_answers_what_it_tells() {
        let catalog = "apiVersion: v1\nkind: Group\n---\nkind: Component\nmetadata: {name: gateway, namespace: shop, description: Lets people in.}\nspec: {owner: core, system: shop}\n";
        let manifest = "kind: Deployment\nmetadata: {name: g, namespace: shop-prod}\nspec:\n  replicas: 3\n  template:\n    spec:\n      containers:\n        - image: acme/g:1\n          ports: [{containerPort: 9000}]\n---\nkind: Ingress\nspec: {rules: [{host: shop.example.org}]}\n";
        let found = answers(
            "gke-service",
            "acme/gateway",
            &[
                ("catalog-info.yaml", catalog),
                ("k8s/web.yaml", manifest),
                ("Dockerfile", "FROM a\nEXPOSE 80\n"),
                ("pyproject.toml", ""),
                ("k8s/chart.yaml", "{{ if }}: ["),
            ],
        );
        let of = |name: &str| {
            found.iter().find(|(parameter, ..)| parameter == name).map(|(_, value, by)| (value.clone(), by.as_str()))
        };
        assert_eq!(of("name"), Some((json!("gateway"), "catalog-info.yaml")));
        assert_eq!(of("owner"), Some((json!("group:shop/core"), "catalog-info.yaml")));
        assert_eq!(of("system"), Some((json!("shop/shop"), "catalog-info.yaml")));
        assert_eq!(of("namespace"), Some((json!("shop-prod"), "k8s/web.yaml")));
        assert_eq!(of("replicas"), Some((json!(3), "k8s/web.yaml")));
        assert_eq!(of("port"), Some((json!(9000), "k8s/web.yaml")), "80 is not for this golden path");
        assert_eq!(of("host"), Some((json!("shop.example.org"), "k8s/web.yaml")));
        assert_eq!(of("language"), Some((json!("python"), "pyproject.toml")));
        assert_eq!(of("repository"), Some((json!("acme/gateway"), "acme/gateway")));
        assert_eq!(of("health_path"), None, "it was answered");
    }

    #[test]
    fn what_runs_goes_before_the_files() {
        let running = Running {
            group: "exai".to_owned(),
            name: "exai_gateway".to_owned(),
            replicas: Some(2),
            port: Some(9000),
            host: Some("api.exai.example".to_owned()),
            ..Running::default()
        };
        let mut candidates = Candidates::default();
        candidates.runs(&running, "swarm/exai/exai_gateway");
        let stack = "services:\n  web:\n    image: acme/web:1\n    deploy: {replicas: 4}\n";
        let texts = [("docker-compose.yml".to_owned(), stack.to_owned())].into();
        candidates.read("acme/other", &Seen { paths: vec!["docker-compose.yml".to_owned()], texts });
        let library = Library::embedded();
        let found = candidates.answers(library.get("swarm-service").unwrap(), |_| false);
        let of =
            |name: &str| found.iter().find(|one| one.parameter == name).map(|one| (&one.value, one.told_by.as_str()));
        let told = "swarm/exai/exai_gateway";
        assert_eq!(of("name"), Some((&json!("gateway"), told)));
        assert_eq!(of("stack"), Some((&json!("exai"), told)));
        assert_eq!(of("replicas"), Some((&json!(2), told)));
        assert_eq!(of("host"), Some((&json!("api.exai.example"), told)));
    }

    #[test]
    fn a_stack_tells_its_host_and_hostile_texts_are_no_answers() {
        let stack = "services:\n  db: {image: postgres}\n  web:\n    build: .\n    image: acme/web:1\n    deploy:\n      replicas: 4\n      labels: ['traefik.http.routers.w.rule=Host(`web.example.org`)']\n";
        let found = answers(
            "swarm-service",
            "acme/Web_App.git",
            &[("docker-compose.yml", stack), ("README.md", "# Web\n\n${{ secrets.X }}\nServes pages.\n")],
        );
        let of = |name: &str| found.iter().find(|(parameter, ..)| parameter == name).map(|(_, value, _)| value.clone());
        assert_eq!(
            (of("host"), of("replicas"), of("name")),
            (Some(json!("web.example.org")), Some(json!(4)), Some(json!("web-app")))
        );
        assert_eq!(of("description"), Some(json!("Serves pages.")));
        let found = answers("swarm-service", "acme/web", &[("README.md", "Runs $(id) for you\n")]);
        assert!(!found.iter().any(|(parameter, ..)| parameter == "description"), "{found:?}");
    }
}
