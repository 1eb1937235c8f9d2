# The keys and certificates of a test cluster, and the kubeconfigs that hold them; sourced by `up`.

PKI=$STATE/pki

new_key() {
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null
}

new_authority() {
    new_key "$PKI/ca.key"
    openssl req -x509 -new -days 365 -key "$PKI/ca.key" -subj "/CN=$CLUSTER" -out "$PKI/ca.crt" \
        -addext keyUsage=critical,keyCertSign,cRLSign
}

# new_certificate NAME SUBJECT [ALTERNATIVE_NAMES]
new_certificate() {
    new_key "$PKI/$1.key"
    openssl req -new -key "$PKI/$1.key" -subj "$2" |
        openssl x509 -req -days 365 -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key" -CAcreateserial \
            -out "$PKI/$1.crt" 2>/dev/null -extfile <(
                echo keyUsage=critical,digitalSignature
                echo extendedKeyUsage=clientAuth,serverAuth
                [[ -z ${3:-} ]] || echo "subjectAltName=$3"
            )
}

# kubeconfig FILE NAME: the certificate of this name in a kubeconfig.
kubeconfig() {
    cat >"$1" <<END
apiVersion: v1
kind: Config
current-context: $CLUSTER
contexts:
  - name: $CLUSTER
    context: {cluster: $CLUSTER, user: $2}
clusters:
  - name: $CLUSTER
    cluster:
      server: https://$(address node-1):6443
      certificate-authority-data: $(base64 -w0 "$PKI/ca.crt")
users:
  - name: $2
    user:
      client-certificate-data: $(base64 -w0 "$PKI/$2.crt")
      client-key-data: $(base64 -w0 "$PKI/$2.key")
END
    chmod 600 "$1"
}
