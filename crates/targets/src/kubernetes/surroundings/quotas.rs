//! How much of a namespace's quotas is used. Pure.

use super::quantity::value;
use k8s_openapi::api::core::v1::ResourceQuota;
use passerelle_contract::deployments::Quota;

/// The fullest first.
pub(super) fn of(all: &[ResourceQuota]) -> Vec<Quota> {
    let mut found = Vec::new();
    for quota in all {
        let status = quota.status.clone().unwrap_or_default();
        let hard = status.hard.or_else(|| quota.spec.as_ref()?.hard.clone()).unwrap_or_default();
        let used = status.used.unwrap_or_default();
        for (resource, hard) in hard {
            let used = used.get(&resource).map_or_else(|| "0".to_owned(), |quantity| quantity.0.clone());
            let ratio = match (value(&used), value(&hard.0)) {
                (Some(used), Some(hard)) if hard > 0.0 => used / hard,
                (Some(used), Some(_)) if used > 0.0 => 1.0,
                _ => 0.0,
            };
            let name = quota.metadata.name.clone().unwrap_or_default();
            found.push(Quota { name, resource, used, hard: hard.0, used_ratio: ratio });
        }
    }
    found.sort_by(|a, b| b.used_ratio.total_cmp(&a.used_ratio).then_with(|| a.resource.cmp(&b.resource)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_fullest_limit_comes_first() {
        let quota: ResourceQuota = serde_json::from_value(json!({"metadata": {"name": "team"},
            "status": {"hard": {"pods": "10", "requests.cpu": "2", "requests.memory": "4Gi"}, "used": {"pods": "4", "requests.cpu": "1800m"}}}))
        .unwrap();
        let found = of(&[quota]);
        assert_eq!(
            found.iter().map(|one| one.resource.as_str()).collect::<Vec<_>>(),
            ["requests.cpu", "pods", "requests.memory"]
        );
        assert!((found[0].used_ratio - 0.9).abs() < 1e-9 && found[2].used == "0");
    }
}
