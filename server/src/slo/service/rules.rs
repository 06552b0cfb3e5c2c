//! Rules for Prometheus made from the SLOs that the caller may see.

use super::super::model::Slo;
use super::SloService;
use crate::kernel::{Action, AppError, Ctx, Result, decide};
use passerelle_contract::slo::{RulesFilter, RulesForm};
use passerelle_slo_formats::Conventions;
use passerelle_slo_formats::rules::{ReadyOptions, RuledSlo, groups, prometheus_rule, proof, ready_alerts, rule_file};
use std::collections::BTreeSet;

/// As the file is called that the tests refer to.
const RULE_FILE: &str = "rules.yaml";
const NAMESPACE: &str = "monitoring";

impl SloService {
    /// YAML: a rule file, a `PrometheusRule`, tests for `promtool`, or the ready alerts.
    ///
    /// # Errors
    /// `Unauthenticated`, `NotFound` for a service that may not be seen.
    pub async fn rules(&self, ctx: &Ctx, filter: &RulesFilter) -> Result<String> {
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        let mut slos = match &filter.service {
            Some(key) => {
                let service = self.catalog.service_for(ctx, key)?;
                self.definitions.of_service(self.db.pool(), service.id).await?
            }
            None => self.definitions.every(self.db.pool()).await?,
        };
        slos.retain(|slo| decide(ctx, Action::SloRead, &slo.object()).allowed);
        slos.sort_by(|a, b| (&a.service.key, &a.definition.name).cmp(&(&b.service.key, &b.definition.name)));
        let ruled: Vec<RuledSlo> = slos.iter().map(ruled).collect();
        Ok(match filter.form.unwrap_or_default() {
            RulesForm::Rules => rule_file(&groups(&ruled)),
            RulesForm::PrometheusRule => prometheus_rule("passerelle-slos", NAMESPACE, &groups(&ruled)),
            RulesForm::Tests => proof(RULE_FILE, &ruled).unwrap_or_else(|| "tests: []\n".to_owned()),
            RulesForm::Ready => {
                let namespaces: BTreeSet<&str> =
                    slos.iter().map(|slo| slo.service.key.split('/').next().unwrap_or_default()).collect();
                let ready = |namespace: &&str| {
                    ready_alerts(&ReadyOptions {
                        namespace: (*namespace).to_owned(),
                        job: "services".to_owned(),
                        conventions: Conventions::usual(""),
                    })
                };
                rule_file(&namespaces.iter().map(ready).collect::<Vec<_>>())
            }
        })
    }
}

fn ruled(slo: &Slo) -> RuledSlo {
    RuledSlo {
        definition: (*slo.definition).clone(),
        service: slo.service.key.clone(),
        tier: slo.tier().as_str().to_owned(),
    }
}
