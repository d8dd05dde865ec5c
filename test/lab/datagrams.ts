/** Programs for `node -e`, with address and port as their words, that ask a UDP service of the lab's members. */

/** Sends one and prints who answered. */
export const ONE_DATAGRAM = `
const [ip, port] = process.argv.slice(1);
const socket = require("dgram").createSocket("udp4");
const end = (word) => { console.log(word); process.exit(0); };
socket.on("message", (bytes) => end(String(bytes).trim()));
socket.send("x", Number(port), ip);
setTimeout(end, 10000, "silent");`;

/** Asks twenty times from one port and prints who answered from which address. */
export const ONE_FLOW = `
const socket = require("dgram").createSocket("udp4");
const [ip, port] = process.argv.slice(1);
const answers = [];
const end = () => { console.log(answers.sort().join(" ")); process.exit(0); };
socket.on("message", (bytes, from) => {
  if (answers.push(String(bytes).trim() + "@" + from.address) === 20) end();
});
for (let sent = 0; sent < 20; sent += 1) socket.send("x", Number(port), ip);
setTimeout(end, 20000);`;
