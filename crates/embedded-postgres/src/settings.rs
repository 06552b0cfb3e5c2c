//! How the server is set up: small, silent, closed.

use crate::layout::Layout;

/// Settings that hold for every cluster. The portal is the only client, so memory and processes stay few.
const ALWAYS: &[(&str, &str)] = &[
    ("listen_addresses", ""),
    ("unix_socket_permissions", "0700"),
    ("shared_buffers", "48MB"),
    ("work_mem", "8MB"),
    ("maintenance_work_mem", "64MB"),
    ("effective_cache_size", "512MB"),
    ("jit", "off"),
    ("random_page_cost", "1.1"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("logging_collector", "on"),
    ("log_filename", "postgres-%a.log"),
    ("log_file_mode", "0600"),
    ("log_truncate_on_rotation", "on"),
    ("log_rotation_age", "1d"),
    ("log_rotation_size", "0"),
    ("log_checkpoints", "off"),
    // A failed statement would carry people's data into the log.
    ("log_min_error_statement", "panic"),
];

const DURABLE: &[(&str, &str)] = &[("max_connections", "50")];

/// Tests make and drop many databases; what they wrote does not matter after a crash.
const NOT_DURABLE: &[(&str, &str)] = &[
    ("max_connections", "200"),
    ("fsync", "off"),
    ("synchronous_commit", "off"),
    ("full_page_writes", "off"),
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
];

/// The arguments of the `postgres` program.
pub(crate) fn arguments(layout: &Layout, durable: bool) -> Vec<String> {
    let mut arguments = vec![
        "-D".to_owned(),
        layout.data().to_string_lossy().into_owned(),
        "-k".to_owned(),
        layout.run().to_string_lossy().into_owned(),
    ];
    let log = layout.log().to_string_lossy().into_owned();
    let name = layout.cluster_name();
    let own = [("log_directory", log.as_str()), ("cluster_name", name.as_str())];
    for (key, value) in ALWAYS.iter().chain(if durable { DURABLE } else { NOT_DURABLE }).chain(&own) {
        arguments.push("-c".to_owned());
        arguments.push(format!("{key}={value}"));
    }
    arguments
}
