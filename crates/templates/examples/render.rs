//! Renders a golden path: `render TEMPLATE_FOLDER ANSWERS.json|- OUTPUT_FOLDER`. `-` takes the sample answers. The parts come from
//! `_shared` beside the template's folder. `render TEMPLATE_FOLDER prove` renders it over all its options and keeps nothing.

use anyhow::{Context, Result, anyhow, bail};
use passerelle_templates::{Library, Template};
use std::path::Path;
use std::sync::Arc;
use std::{env, fs};

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [folder, prove] if prove == "prove" => {
            println!("{} sets of answers", template(folder)?.prove()?);
            Ok(())
        }
        [folder, answers, output] => write(&*template(folder)?, answers, output),
        _ => bail!("render TEMPLATE_FOLDER ANSWERS.json|- OUTPUT_FOLDER, or render TEMPLATE_FOLDER prove"),
    }
}

fn template(folder: &str) -> Result<Arc<Template>> {
    let folder = fs::canonicalize(folder).context("no such template")?;
    let root = folder.parent().context("a template lies in a folder of templates")?;
    let id = folder.file_name().and_then(|name| name.to_str()).context("a template's folder has a name")?;
    let library = Library::folder(root)?;
    let fault = || library.faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    library.get(id).cloned().ok_or_else(|| anyhow!("{}", fault()))
}

fn write(template: &Template, answers: &str, output: &str) -> Result<()> {
    let given = match answers {
        "-" => template.example(),
        path => serde_json::from_str(&fs::read_to_string(path)?).context("the answers must be a JSON object")?,
    };
    let refused = |errors: Vec<passerelle_contract::FieldError>| {
        let lines: Vec<String> = errors.iter().map(|error| format!("{} {}", error.pointer, error.message)).collect();
        anyhow!("{}", lines.join("\n"))
    };
    let answers = template.answers(&given).map_err(refused)?;
    let files = template.render(&answers)?;
    for file in &files {
        let path = Path::new(output).join(&file.path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new(output)))?;
        fs::write(&path, &file.content)?;
        if file.executable {
            executable(&path)?;
        }
        println!("{:>7} {}", file.content.len(), file.path);
    }
    println!("{} files of {} {}", files.len(), template.id(), template.version());
    Ok(())
}

#[cfg(unix)]
fn executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn executable(_: &Path) -> std::io::Result<()> {
    Ok(())
}
