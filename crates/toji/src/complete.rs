//! Completions for shells, made from the same command tree as everything else.
//!
//! The tree is two levels deep, so a table "words so far → what may follow" is all a shell needs.

use clap::Command;

/// Shells we can speak to.
pub(crate) const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// The script for a shell.
pub(crate) fn script(shell: &str, command: &Command) -> String {
    let mut table = Vec::new();
    collect(command, "", &mut table);
    match shell {
        "fish" => fish(&table),
        // zsh reads bash's completions once it is told to.
        "zsh" => format!("autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n{}", bash(&table)),
        _ => bash(&table),
    }
}

/// `(words so far, commands, flags)` for every command.
type Row = (String, Vec<String>, Vec<String>);

fn collect(command: &Command, path: &str, table: &mut Vec<Row>) {
    let below: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let flags =
        command.get_arguments().filter(|arg| !arg.is_hide_set()).filter_map(|arg| arg.get_long()).map(|long| format!("--{long}"));
    let mut flags: Vec<String> = flags.collect();
    for shared in ["--store", "--lang", "--json", "--quiet", "--out", "--help"] {
        if !flags.iter().any(|flag| flag == shared) {
            flags.push(shared.to_owned());
        }
    }
    table.push((path.to_owned(), below, flags));
    for sub in command.get_subcommands() {
        let deeper = if path.is_empty() { sub.get_name().to_owned() } else { format!("{path} {}", sub.get_name()) };
        collect(sub, &deeper, table);
    }
}

fn bash(table: &[Row]) -> String {
    let mut cases = String::new();
    for (path, below, flags) in table {
        cases.push_str(&format!("        '{path}') commands='{}'; flags='{}' ;;\n", below.join(" "), flags.join(" ")));
    }
    format!(
        r#"_toji() {{
    local word path='' commands flags skip='' i
    local current="${{COMP_WORDS[COMP_CWORD]}}"
    for ((i = 1; i < COMP_CWORD; i++)); do
        word="${{COMP_WORDS[i]}}"
        if [[ -n $skip ]]; then skip=''; continue; fi
        case "$word" in
            --store|--lang|--out) skip=1 ;;
            -*) ;;
            *) [[ $path != *' '* ]] && path="${{path:+$path }}$word" ;;
        esac
    done
    case "$path" in
{cases}        *) case "${{path%% *}}" in
            search|sql|verify) flags='--json --out --help' ;;
        esac ;;
    esac
    if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$flags" -- "$current"))
    elif [[ -n $commands ]]; then
        COMPREPLY=($(compgen -W "$commands" -- "$current"))
    else
        COMPREPLY=($(compgen -f -- "$current"))
    fi
}}
complete -o filenames -F _toji toji
"#
    )
}

fn fish(table: &[Row]) -> String {
    let mut out = String::new();
    for (path, below, flags) in table {
        let words: Vec<&str> = path.split(' ').filter(|word| !word.is_empty()).collect();
        let condition = match words.as_slice() {
            [] => "__fish_use_subcommand".to_owned(),
            [noun] => format!("__fish_seen_subcommand_from {noun}"),
            [noun, verb, ..] => format!("__fish_seen_subcommand_from {noun}; and __fish_seen_subcommand_from {verb}"),
        };
        if !below.is_empty() {
            let below = below.join(" ");
            out.push_str(&format!(
                "complete -c toji -n '{condition}; and not __fish_seen_subcommand_from {below}' -f -a '{below}'\n"
            ));
        }
        for flag in flags {
            out.push_str(&format!("complete -c toji -n '{condition}' -l '{}'\n", flag.trim_start_matches('-')));
        }
    }
    out
}
