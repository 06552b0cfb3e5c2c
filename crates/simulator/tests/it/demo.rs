use crate::support::Sim;

const DEMO: &str = include_str!("../../../../demo/simulator.yaml");

#[tokio::test]
async fn everything_in_the_demo_is_healthy_at_the_start() {
    let sim = Sim::start(DEMO).await;
    let mut count = 0;
    for cluster in ["gke-reactivite-cluster", "fil-rouge-eks", "exai-perso-aks"] {
        let list = sim.get(&format!("/k8s/{cluster}/apis/apps/v1/deployments")).await;
        for deployment in list["items"].as_array().unwrap() {
            count += 1;
            assert_eq!(
                deployment["status"]["readyReplicas"], deployment["spec"]["replicas"],
                "{}",
                deployment["metadata"]
            );
        }
    }
    assert_eq!(count, 28);
    let services = sim.get("/docker/cloudtaskhub/services?status=true").await;
    assert_eq!(services.as_array().unwrap().len(), 12);
    for service in services.as_array().unwrap() {
        assert_eq!(service["ServiceStatus"]["RunningTasks"], service["ServiceStatus"]["DesiredTasks"]);
        let image = service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"].as_str().unwrap();
        assert!(image.contains("@sha256:"), "{image}");
    }
}

#[tokio::test]
async fn the_demos_cloud_run_services_serve_from_their_first_revision() {
    let sim = Sim::start(DEMO).await;
    let list = sim.get("/v2/projects/skillforge-ai-mvp/locations/europe-west1/services").await;
    let services = list["services"].as_array().unwrap();
    assert_eq!(services.len(), 6);
    for service in services {
        assert_eq!(service["terminalCondition"]["state"], "CONDITION_SUCCEEDED");
        assert_eq!(service["trafficStatuses"][0]["percent"], 100);
    }
}

#[tokio::test]
async fn the_demos_sites_are_served_and_their_archives_are_there() {
    let sim = Sim::start(DEMO).await;
    let portal = include_str!("../../../../demo/systems/skillforge/portal.yaml");
    let images: Vec<&str> = portal.lines().filter_map(|line| line.trim().strip_prefix("image: \"")).collect();
    let digests = images.iter().filter(|image| image.starts_with("skillforge-ai-mvp/frontend:"));
    let digests: Vec<&str> = digests.filter_map(|image| image.trim_end_matches('"').rsplit(':').next()).collect();
    assert_eq!(digests.len(), 3);
    for digest in digests {
        let name = format!("archives%2F{digest}.tar");
        let found = sim.get(&format!("/storage/v1/b/skillforge-ai-mvp-frontend-releases/o/{name}")).await;
        assert_eq!(found["contentType"], "application/x-tar", "{digest}: {found}");
    }
    for stage in ["staging", "production"] {
        let bucket = format!("/storage/v1/b/skillforge-ai-mvp-frontend-assets-{stage}/o");
        let names = sim.get(&bucket).await["items"].as_array().map_or(0, Vec::len);
        assert_eq!(names, 5, "{stage}");
    }
}

#[tokio::test]
async fn what_the_documents_ask_of_the_clusters_is_there() {
    let sim = Sim::start(DEMO).await;
    let count = async |path: &str| sim.get(&format!("/k8s/{path}")).await["items"].as_array().map_or(0, Vec::len);
    let eks = "fil-rouge-eks/apis";
    assert!(count(&format!("{eks}/autoscaling/v1/namespaces/production/horizontalpodautoscalers")).await >= 3);
    for namespace in ["staging", "production"] {
        assert!(count(&format!("{eks}/apps/v1/namespaces/{namespace}/statefulsets")).await > 0);
        assert!(count(&format!("{eks}/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies")).await > 0);
        assert!(count(&format!("{eks}/networking.k8s.io/v1/namespaces/{namespace}/ingresses")).await > 0);
        for kind in ["resourcequotas", "limitranges", "services"] {
            assert!(count(&format!("fil-rouge-eks/api/v1/namespaces/{namespace}/{kind}")).await > 0, "{kind}");
        }
    }
    for namespace in ["exai", "exai-staging"] {
        let postgres = format!("/k8s/exai-perso-aks/apis/apps/v1/namespaces/{namespace}/statefulsets/postgres");
        assert_eq!(sim.get(&postgres).await["status"]["readyReplicas"], 1);
    }
}

#[tokio::test]
async fn what_bindings_ask_after_a_rollout_answers() {
    let sim = Sim::start(DEMO).await;
    let exai = include_str!("../../../../demo/systems/exai/portal.yaml");
    let gke = include_str!("../../../../demo/systems/gke-reactivite/portal.yaml");
    let addresses = exai.lines().chain(gke.lines()).filter_map(|line| line.split_once("127.0.0.1:3900"));
    let asked: Vec<&str> =
        addresses.map(|(_, path)| path.trim_end_matches('"')).filter(|path| path.contains("/proxy/")).collect();
    assert_eq!(asked.len(), 2);
    for path in asked {
        assert_eq!(sim.get(path).await["status"], "ok", "{path}");
    }
}
