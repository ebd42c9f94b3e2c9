# grpcurl, as far as the README uses it, by `buf curl`. The test puts this in front of its lines.
grpcurl() {
  local options=(--http2-prior-knowledge --protocol grpc --reflect-protocol "${REFLECT:-grpc-v1}")
  while [[ $1 == -* ]]; do
    case $1 in
      -plaintext) shift ;;
      -H) options+=(--header "$2") && shift 2 ;;
      -d) options+=(--data "$2") && shift 2 ;;
      *) echo "not known here: $1" && return 2 ;;
    esac
  done
  case $2 in
    list) buf curl "${options[@]}" --list-services "http://$1" ;;
    describe) buf curl "${options[@]}" --list-methods "http://$1" ;;
    *) buf curl "${options[@]}" "http://$1/$2" ;;
  esac
}
