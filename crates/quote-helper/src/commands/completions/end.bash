
_quote_helper() {
    # The word as it will be, without the backslashes that were typed.
    _clap_complete_quote_helper "$1" "${2//\\/}" "$3"
    # Bash escapes names of files when it knows that they are some.
    if [[ -e ${COMPREPLY[0]-} || ${COMPREPLY[0]-} == "~/"* ]]; then
        compopt -o filenames 2> /dev/null
    fi
}
complete -o nospace -o bashdefault -o nosort -F _quote_helper quote-helper
