//! Walking the chain from its first link, or from the end of an archive, and naming the first thing that does not hold.

use crate::{Archive, Checkpoint, GENESIS, Hash, Row, VerifyingKey, link};
use std::collections::BTreeMap;
use std::fmt;

/// A row with its place in the chain, as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    pub position: i64,
    pub event_id: i64,
    pub hash: Hash,
    /// Absent when the chain names a row that is not there.
    pub row: Option<Row>,
}

/// The first thing that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The row was changed, or another one was put in its place.
    Changed { event_id: i64, position: i64 },
    /// The row that the chain names is gone.
    Deleted { event_id: i64, position: i64 },
    /// A link is missing in the middle.
    Gap { position: i64 },
    /// A second row claims a place of the chain.
    Inserted { event_id: i64, position: i64 },
    /// A row of an export has no place in the chain.
    Unsealed { event_id: i64 },
    /// A row of an export does not stand where it was written.
    Order { event_id: i64 },
    /// No checkpoint signs the newest rows.
    Unsigned { signed: i64, last: i64 },
    /// The copy of the checkpoints that lies outside the database is gone: what the database says of itself is not enough.
    NoCopy { file: String },
    /// A checkpoint says that there were more rows than there are: the tail was cut, or an old backup restored.
    Cut { checkpoint: i64, last: i64 },
    /// The chain differs from what a checkpoint signed: it was rewritten, or is a fork.
    Rewritten { position: i64, event_id: i64 },
    /// A checkpoint is not signed by this installation's key.
    Signature { position: i64, key_id: String },
    /// An archive is not signed by this installation's key: rows before its end are missing, and nobody says where they are.
    Archive { last: i64, key_id: String },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { event_id, position } => {
                write!(f, "row {event_id} (position {position}) is not what was sealed: it was changed")
            }
            Self::Deleted { event_id, position } => write!(f, "row {event_id} (position {position}) was deleted"),
            Self::Gap { position } => write!(f, "the link at position {position} is missing"),
            Self::Inserted { event_id, position } => {
                write!(f, "row {event_id} claims position {position}, which another row has: it was inserted")
            }
            Self::Unsealed { event_id } => {
                write!(f, "row {event_id} has no place in the chain: it was inserted, or its place was taken out")
            }
            Self::Order { event_id } => {
                write!(f, "row {event_id} is not where it was written: the rows were reordered")
            }
            Self::Unsigned { signed, last } => {
                write!(
                    f,
                    "the chain goes to position {last}, but is signed to {signed} only: the newest rows were rewritten or cut"
                )
            }
            Self::NoCopy { file } => {
                write!(f, "the database has checkpoints, but {file} is not there: it was removed, or name a copy of it")
            }
            Self::Cut { checkpoint, last } => {
                write!(
                    f,
                    "a checkpoint signed {checkpoint} rows, but the chain ends at {last}: the tail was cut or an old backup restored"
                )
            }
            Self::Rewritten { position, event_id } => {
                write!(
                    f,
                    "the chain at position {position} (row {event_id}) is not the one that was signed: it was rewritten"
                )
            }
            Self::Signature { position, key_id } => {
                write!(f, "the checkpoint at position {position} is not signed by this installation (key {key_id})")
            }
            Self::Archive { last, key_id } => {
                write!(
                    f,
                    "the archive of the rows to position {last} is not signed by this installation (key {key_id})"
                )
            }
        }
    }
}

/// What the walk found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Good rows that were looked at.
    pub rows: i64,
    /// Rows before them that are in archives, which were not looked at.
    pub archived: i64,
    pub checkpoints: usize,
    pub fault: Option<Fault>,
}

/// Takes the links in their order; stops looking at the first fault.
#[derive(Debug)]
pub struct Verifier {
    checkpoints: BTreeMap<i64, Vec<Checkpoint>>,
    count: usize,
    next: i64,
    last: Hash,
    archived: i64,
    fault: Option<Fault>,
}

impl Verifier {
    /// `checkpoints` from every sink: each must hold.
    #[must_use]
    pub fn new(key: &VerifyingKey, checkpoints: Vec<Checkpoint>) -> Self {
        let count = checkpoints.len();
        let mut fault = None;
        let mut by_position: BTreeMap<i64, Vec<Checkpoint>> = BTreeMap::new();
        for checkpoint in checkpoints {
            if fault.is_none() && !key.holds(&checkpoint) {
                fault = Some(Fault::Signature { position: checkpoint.position, key_id: checkpoint.key_id.clone() });
            }
            by_position.entry(checkpoint.position).or_default().push(checkpoint);
        }
        Self { checkpoints: by_position, count, next: 1, last: GENESIS, archived: 0, fault }
    }

    /// Begins behind an archive, which has to be signed.
    #[must_use]
    pub fn after(mut self, key: &VerifyingKey, archive: &Archive) -> Self {
        let mut last = GENESIS;
        if !key.holds_archive(archive) || hex::decode_to_slice(&archive.hash, &mut last).is_err() {
            let fault = Fault::Archive { last: archive.last, key_id: archive.key_id.clone() };
            self.fault.get_or_insert(fault);
            return self;
        }
        (self.next, self.last, self.archived) = (archive.last + 1, last, archive.last);
        self
    }

    /// The next link. Whether it is worth going on.
    pub fn take(&mut self, linked: &Linked) -> bool {
        if self.fault.is_none() {
            self.fault = self.check(linked);
        }
        self.fault.is_none()
    }

    fn check(&mut self, linked: &Linked) -> Option<Fault> {
        let (position, event_id) = (linked.position, linked.event_id);
        if position < self.next {
            return Some(Fault::Inserted { event_id, position });
        }
        if position != self.next {
            return Some(Fault::Gap { position: self.next });
        }
        let Some(row) = &linked.row else { return Some(Fault::Deleted { event_id, position }) };
        let hash = link(&self.last, row);
        if hash != linked.hash || row.id != event_id {
            return Some(Fault::Changed { event_id, position });
        }
        self.next += 1;
        self.last = hash;
        let mut signed = self.checkpoints.get(&position).into_iter().flatten();
        let differs = |checkpoint: &Checkpoint| checkpoint.hash != hex::encode(hash) || checkpoint.event_id != event_id;
        signed.any(differs).then_some(Fault::Rewritten { position, event_id })
    }

    #[must_use]
    pub fn finish(self) -> Report {
        let last = self.next - 1;
        let furthest = self.checkpoints.keys().next_back().copied().unwrap_or(0);
        let cut = (furthest > last).then_some(Fault::Cut { checkpoint: furthest, last });
        let (rows, archived) = (last - self.archived, self.archived);
        Report { rows, archived, checkpoints: self.count, fault: self.fault.or(cut) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Linked, Report, Verifier};
    use crate::{Archive, Checkpoint, GENESIS, Row, SigningKey, link};

    fn row(id: i64) -> Row {
        Row {
            id,
            at_us: 1_000_000 * id,
            actor: "alice".into(),
            via: "api".into(),
            action: "deployment.create".into(),
            object: format!("deployment:{id}"),
            service: Some("shop/web".into()),
            environment: None,
            reason: Some("why".into()),
            before: None,
            after: Some("{\"a\":1}".into()),
            request_id: "r".into(),
            outcome: "success".into(),
        }
    }

    fn chain(rows: Vec<Row>) -> Vec<Linked> {
        let mut last = GENESIS;
        let mut position = 0;
        rows.into_iter()
            .map(|row| {
                last = link(&last, &row);
                position += 1;
                Linked { position, event_id: row.id, hash: last, row: Some(row) }
            })
            .collect()
    }

    fn key() -> SigningKey {
        SigningKey::from_seed(&[5; 32])
    }

    /// Ten rows, signed after the fifth and the tenth.
    fn sealed() -> (Vec<Linked>, Vec<Checkpoint>) {
        let links = chain((1..=10).map(row).collect());
        let sign = |at: usize| key().sign(links[at].position, links[at].event_id, &links[at].hash, 7);
        let checkpoints = vec![sign(4), sign(9)];
        (links, checkpoints)
    }

    fn report(links: &[Linked], checkpoints: Vec<Checkpoint>) -> Report {
        let mut verifier = Verifier::new(&key().verifying_key(), checkpoints);
        for linked in links {
            verifier.take(linked);
        }
        verifier.finish()
    }

    fn fault(links: &[Linked], checkpoints: Vec<Checkpoint>) -> Option<Fault> {
        report(links, checkpoints).fault
    }

    #[test]
    fn what_nobody_touched_holds() {
        let (links, checkpoints) = sealed();
        assert_eq!(report(&links, checkpoints), Report { rows: 10, archived: 0, checkpoints: 2, fault: None });
    }

    #[test]
    fn an_edited_row_is_named() {
        let (mut links, checkpoints) = sealed();
        links[2].row.as_mut().unwrap().reason = Some("another".into());
        assert_eq!(fault(&links, checkpoints), Some(Fault::Changed { event_id: 3, position: 3 }));
    }

    #[test]
    fn a_deleted_row_is_named_with_or_without_its_link() {
        let (mut links, checkpoints) = sealed();
        links[2].row = None;
        assert_eq!(fault(&links, checkpoints.clone()), Some(Fault::Deleted { event_id: 3, position: 3 }));
        links.remove(2);
        assert_eq!(fault(&links, checkpoints), Some(Fault::Gap { position: 3 }));
    }

    #[test]
    fn inserted_and_swapped_rows_are_found() {
        let (mut links, checkpoints) = sealed();
        let (a, b) = (links[2].row.clone(), links[3].row.clone());
        (links[2].row, links[3].row) = (b, a);
        assert_eq!(fault(&links, checkpoints.clone()), Some(Fault::Changed { event_id: 3, position: 3 }));
        let rows = [row(1), row(2), row(99)].into_iter().chain((3..=10).map(row)).collect();
        assert!(matches!(fault(&chain(rows), checkpoints), Some(Fault::Rewritten { position: 5, .. })));
    }

    #[test]
    fn a_cut_tail_and_a_restored_backup_are_found() {
        let (links, checkpoints) = sealed();
        assert_eq!(fault(&links[..7], checkpoints.clone()), Some(Fault::Cut { checkpoint: 10, last: 7 }));
        assert_eq!(fault(&[], checkpoints), Some(Fault::Cut { checkpoint: 10, last: 0 }));
    }

    #[test]
    fn a_rewritten_chain_is_found_though_it_is_whole_in_itself() {
        let (_, checkpoints) = sealed();
        let mut rows: Vec<Row> = (1..=10).map(row).collect();
        rows[1].actor = "mallory".into();
        assert!(matches!(fault(&chain(rows), checkpoints), Some(Fault::Rewritten { position: 5, .. })));
    }

    #[test]
    fn another_key_does_not_pass() {
        let (links, _) = sealed();
        let other = SigningKey::from_seed(&[6; 32]).sign(10, 10, &links[9].hash, 7);
        assert!(matches!(fault(&links, vec![other]), Some(Fault::Signature { position: 10, .. })));
    }

    #[test]
    fn a_chain_goes_on_behind_a_signed_archive_and_behind_nothing_else() {
        let (links, checkpoints) = sealed();
        let archive = |key: &SigningKey, at: usize| {
            let (event_id, hash) = (links[at].event_id, hex::encode(links[at].hash));
            let (last, sha256) = (links[at].position, "ab".repeat(32));
            let unsigned = Archive {
                first: 1,
                last,
                event_id,
                hash,
                sha256,
                at_us: 7,
                signature: String::new(),
                key_id: String::new(),
            };
            key.sign_archive(unsigned)
        };
        let walk = |archive: &Archive, from: usize| {
            let key = key().verifying_key();
            let mut verifier = Verifier::new(&key, checkpoints.clone()).after(&key, archive);
            for linked in &links[from..] {
                verifier.take(linked);
            }
            verifier.finish()
        };
        let good = archive(&key(), 3);
        assert_eq!(walk(&good, 4), Report { rows: 6, archived: 4, checkpoints: 2, fault: None });
        // Rows between the archive and what is there are missing, or rows of the archive are still there.
        assert_eq!(walk(&good, 5).fault, Some(Fault::Gap { position: 5 }));
        assert_eq!(walk(&good, 3).fault, Some(Fault::Inserted { event_id: 4, position: 4 }));
        // Somebody else's archive, one that was stretched, and a checkpoint in the guise of one.
        let stretched = Archive { last: 5, ..good.clone() };
        let signed = key().sign(links[4].position, links[4].event_id, &links[4].hash, 7);
        let disguised =
            Archive { last: 5, event_id: 5, hash: signed.hash, signature: signed.signature, ..good.clone() };
        for (bad, from) in [(archive(&SigningKey::from_seed(&[6; 32]), 3), 4), (stretched, 5), (disguised, 5)] {
            assert!(matches!(walk(&bad, from).fault, Some(Fault::Archive { .. })));
        }
        assert_eq!(fault(&links[4..], checkpoints.clone()), Some(Fault::Gap { position: 1 }), "cut without an archive");
    }

    #[test]
    fn columns_cannot_run_into_each_other() {
        let (mut a, mut b) = (row(1), row(1));
        (a.actor, a.via) = ("ab".into(), "c".into());
        (b.actor, b.via) = ("a".into(), "bc".into());
        assert_ne!(a.canonical(), b.canonical());
        b = row(1);
        b.environment = Some(String::new());
        assert_ne!(row(1).canonical(), b.canonical());
    }
}
