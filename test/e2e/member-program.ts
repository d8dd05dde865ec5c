import http from "node:http";

// Members on the addresses that are given, port 80. Each is well until somebody posts /ill to it.
const ill = new Set<string>();
for (const address of process.argv.slice(2)) {
  const server = http.createServer((request, response) => {
    if (request.method === "POST") {
      if (request.url === "/ill") ill.add(address);
      else ill.delete(address);
    }
    response.writeHead(ill.has(address) && request.method !== "POST" ? 503 : 200);
    response.end("<script>document.title='owned'</script>");
  });
  server.listen(80, address);
}
