//! Compiles the browser's half of the app to WebAssembly and makes its JavaScript glue.

use anyhow::{Context as _, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

use super::Client;
use crate::paths::Paths;
use crate::process::{cargo, run};

/// The two files that a page loads.
#[derive(Debug)]
pub struct ClientFiles {
    pub js: Vec<u8>,
    pub wasm: Vec<u8>,
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
    // Such files would need names of their own in the site; none of our dependencies has any.
    if !output.snippets().is_empty() || !output.local_modules().is_empty() {
        bail!("a dependency of the client brings its own JavaScript files, which the site does not serve");
    }
    Ok(ClientFiles { js: output.js().as_bytes().to_vec(), wasm: output.wasm_mut().emit_wasm() })
}
