// A page from the disk may not start a worker, and the search is one. Here it runs in a
// frame that nobody sees, with the same messages.
if (location.protocol === "file:") {
  window.Worker = class {
    constructor(address) {
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.early = [];
      document.documentElement.appendChild(this.frame);
      const inner = this.frame.contentWindow;
      // what the worker posts goes to whoever started it
      inner.postMessage = (data) => setTimeout(() => this.onmessage?.({ data }));
      const script = inner.document.createElement("script");
      script.src = String(address);
      script.onload = () => this.start(inner);
      script.onerror = () => this.onerror?.(new Event("error", { cancelable: true }));
      inner.document.body.appendChild(script);
    }
    start(inner) {
      this.give = (data) => setTimeout(() => inner.onmessage?.({ data }));
      this.early.forEach(this.give);
    }
    postMessage(data) {
      this.give ? this.give(data) : this.early.push(data);
    }
    terminate() {
      this.frame.remove();
    }
  };
}
