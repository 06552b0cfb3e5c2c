//! Compiles the browser's half of the app to WebAssembly and makes its JavaScript glue.

use anyhow::{Context as _, Result};
use wasm_bindgen_cli_support::Bindgen;

use super::Client;
use crate::paths::Paths;
use crate::process::{cargo, run};

/// What a page loads for its islands.
#[derive(Debug)]
pub struct ClientFiles {
    pub js: Vec<u8>,
    pub wasm: Vec<u8>,
    /// JavaScript of dependencies, by its path from the glue, which imports it by this very path. The path holds a hash
    /// of the package and its version.
    pub snippets: Vec<(String, Vec<u8>)>,
}

pub fn compile(paths: &Paths, client: Client) -> Result<ClientFiles> {
    let profile = match client {
        Client::Quick => "wasm-dev",
        Client::Small => "wasm-release",
    };
    run(cargo(paths)
        .args(["rustc", "--package", "passerelle-app", "--lib", "--crate-type", "cdylib"])
        .args(["--target", "wasm32-unknown-unknown", "--no-default-features", "--features", "hydrate"])
        .args(["--profile", profile, "--target-dir"])
        .arg(paths.client_target()))?;
    let input = paths.client_target().join("wasm32-unknown-unknown").join(profile).join("passerelle_app.wasm");
    let wasm = std::fs::read(&input).with_context(|| format!("cannot read {}", input.display()))?;
    bind(wasm, client)
}

fn bind(wasm: Vec<u8>, client: Client) -> Result<ClientFiles> {
    let mut bindgen = Bindgen::new();
    bindgen.input_bytes("client", wasm).typescript(false).remove_name_section(client == Client::Small);
    let mut output = bindgen.web(true).and_then(Bindgen::generate_output).context("wasm-bindgen refuses the client")?;
    let mut snippets = Vec::new();
    for (package, list) in output.snippets() {
        for (index, js) in list.iter().enumerate() {
            snippets.push((format!("snippets/{package}/inline{index}.js"), js.as_bytes().to_vec()));
        }
    }
    for (path, js) in output.local_modules() {
        snippets.push((format!("snippets/{path}"), js.as_bytes().to_vec()));
    }
    Ok(ClientFiles { js: output.js().as_bytes().to_vec(), wasm: output.wasm_mut().emit_wasm(), snippets })
}
