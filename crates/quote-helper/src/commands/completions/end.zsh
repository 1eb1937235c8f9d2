
# When zsh has just loaded this file as a function, that function is called to complete.
if [[ ${funcstack[1]} == _quote-helper ]]; then
    _clap_dynamic_completer_quote_helper "$@"
fi
