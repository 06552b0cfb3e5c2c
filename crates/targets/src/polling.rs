//! A watch on platforms that push nothing: they are asked again.

use crate::{Observation, Rollout, Target, TargetError};
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use std::time::Duration;

/// What runs, now and whenever it differs from the look before; asked every `busy` while something moves, else every `idle`.
pub(crate) fn watch<T: Target + 'static>(
    target: T,
    busy: Duration,
    idle: Duration,
) -> BoxStream<'static, Result<Observation, TargetError>> {
    stream::unfold((target, None::<Observation>, false), move |(target, last, ended)| async move {
        if ended {
            return None;
        }
        loop {
            if let Some(last) = &last {
                tokio::time::sleep(if last.rollout == Rollout::Progressing { busy } else { idle }).await;
            }
            match target.observe().await {
                Ok(seen) if last.as_ref() == Some(&seen) => {}
                Ok(seen) => return Some((Ok(seen.clone()), (target, Some(seen), false))),
                Err(error) => return Some((Err(error), (target, last, true))),
            }
        }
    })
    .boxed()
}
