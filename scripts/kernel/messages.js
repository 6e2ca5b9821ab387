"use strict";
// Three faults of tslab 1.0.22 in what it tells a notebook.

const { JupyterHandlerImpl, ZmqServer } = require("tslab/dist/jupyter");

/**
 * tslab takes requests while a cell runs, and says that it is idle whenever one of them is done: it says at once that
 * it is busy, as long as another is not.
 */
function mendStatus() {
  const { publishStatus } = ZmqServer.prototype;
  const open = new Set();
  ZmqServer.prototype.publishStatus = function (status, request) {
    publishStatus.call(this, status, request);
    if (status === "busy") open.add(request);
    else open.delete(request);
    const [other] = open;
    if (status === "idle" && other) publishStatus.call(this, "busy", other);
  };
}

/** JupyterLab writes what the kernel says of its language into a notebook: what is there already, or the notebook counts as changed. */
function mendLanguage() {
  const { handleKernel } = JupyterHandlerImpl.prototype;
  JupyterHandlerImpl.prototype.handleKernel = function () {
    const language_info = { name: "typescript", file_extension: ".ts", mimetype: "text/typescript" };
    return { ...handleKernel.call(this), language_info };
  };
}

/** JupyterLab asks for earlier input, waits, and complains in the browser's console; tslab complains in the terminal's. */
function mendHistory() {
  const { publishStatus } = ZmqServer.prototype;
  ZmqServer.prototype.publishStatus = function (status, request) {
    publishStatus.call(this, status, request);
    if (status !== "busy" || request.header.msg_type !== "history_request") return;
    const reply = request.createReply();
    reply.header.msg_type = "history_reply";
    reply.content = { status: "ok", history: [] };
    reply.signAndSend(this.connInfo.key, this.shell);
  };
  const { warn } = console;
  console.warn = (...words) => {
    if (words[0] !== "unknown msg_type: history_request") warn(...words);
  };
}

module.exports = function mendMessages() {
  mendStatus();
  mendLanguage();
  mendHistory();
};
