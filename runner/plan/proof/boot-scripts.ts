// What runs in the cage beside the site: PHP's own web server with a router, and the visitor who asks it for the front page.
// In PHP, because nothing else is sure to be in there. Pure text.
import { phpLiteral } from "./php-literal.ts";

export interface BootVisit {
  /** With the port, if it has one: as the site's address says. */
  readonly host: string;
  /** Of the site's address, "" or "/blog". */
  readonly base: string;
  readonly root: string;
  readonly patienceSeconds: number;
}

/** Begins the line that has the visitor's answer as JSON. */
export const ANSWER_MARK = "backupd boot: ";
export const PHP_LOG = "/tmp/php.log";
const PORT = 8080;

/** For every request: the site lies at the server's root, whatever path its address has. */
export function routerScript({ base, root }: BootVisit): string {
  return `<?php
$path = rawurldecode((string) parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
$base = ${phpLiteral(base)};
$below = strncmp("$path/", "$base/", strlen($base) + 1) === 0 ? substr($path, strlen($base)) : '/';
$root = ${phpLiteral(root)};
$file = realpath($root . $below);
if ($file !== false && is_dir($file)) $file = "$file/index.php";
if ($file === false || strncmp($file, "$root/", strlen($root) + 1) !== 0 || !preg_match('/\\.php$/', $file) || !is_file($file)) {
  $file = "$root/index.php";
}
$_SERVER['DOCUMENT_ROOT'] = $root;
$_SERVER['SCRIPT_FILENAME'] = $file;
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = $base . substr($file, strlen($root));
unset($_SERVER['PATH_INFO']);
chdir(dirname($file));
require $file;
`;
}

/** Arguments: PHP's own flags, for the server. Follows redirects within the site. Says what it saw in one line of JSON. */
export function visitorScript({ host, base, root, patienceSeconds }: BootVisit): string {
  return `<?php
function answer(array $what): never {
  echo "\\n", ${phpLiteral(ANSWER_MARK)}, json_encode($what, JSON_INVALID_UTF8_SUBSTITUTE), "\\n";
  exit(0);
}
if (!extension_loaded('mysqli')) answer(['skipped' => 'this PHP has no mysqli module']);
$flags = array_slice($argv, 1);
$command = array_merge([PHP_BINARY], $flags, ['-S', '127.0.0.1:${PORT}', '-t', ${phpLiteral(root)}, __DIR__ . '/router.php']);
$null = ['file', '/dev/null', 'r+'];
$server = proc_open($command, [$null, $null, ['file', '/tmp/server.log', 'a']], $pipes);
if ($server === false) answer(['skipped' => 'PHP cannot start its web server']);
$deadline = microtime(true) + ${patienceSeconds};
while (!($socket = @stream_socket_client('tcp://127.0.0.1:${PORT}', $code, $error, 1))) {
  if (microtime(true) > $deadline || !proc_get_status($server)['running']) {
    answer(['skipped' => "PHP's web server does not listen: $error " . substr((string) @file_get_contents('/tmp/server.log'), -300)]);
  }
  usleep(20000);
}
$path = ${phpLiteral(`${base}/`)};
$started = microtime(true);
for ($hop = 0; ; $hop += 1) {
  if ($hop > 0) $socket = @stream_socket_client('tcp://127.0.0.1:${PORT}', $code, $error, 5);
  if (!$socket) break;
  stream_set_timeout($socket, max(1, (int) ($deadline - microtime(true))));
  fwrite($socket, "GET $path HTTP/1.0\\r\\nHost: " . ${phpLiteral(host)} . "\\r\\nUser-Agent: backupd\\r\\nAccept: text/html\\r\\n\\r\\n");
  $response = (string) stream_get_contents($socket, 65536);
  $status = preg_match('/^HTTP\\/\\S+ (\\d{3})/', $response, $found) ? (int) $found[1] : 0;
  $location = preg_match('/^location:\\s*(\\S+)/mi', $response, $found) ? $found[1] : null;
  if ($status < 300 || $status >= 400 || $location === null || $hop === 5) break;
  $to = parse_url($location);
  $isHere = $to !== false && (!isset($to['host']) || $to['host'] . (isset($to['port']) ? ":{$to['port']}" : '') === ${phpLiteral(host)});
  if (!$isHere) break;
  $path = ($to['path'] ?? '/') . (isset($to['query']) ? "?{$to['query']}" : '');
}
$body = preg_replace('/<(style|script|title)\\b.*?<\\/\\1>/is', ' ', explode("\\r\\n\\r\\n", $response ?? '', 2)[1] ?? '');
$text = substr(trim(preg_replace('/\\s+/', ' ', strip_tags($body))), 0, 400);
$log = (string) @file_get_contents(${phpLiteral(PHP_LOG)}, false, null, 0, 262144);
answer(['status' => $status ?? 0, 'seconds' => microtime(true) - $started, 'location' => $location ?? null, 'log' => substr($log, -16384), 'text' => $text]);
`;
}
