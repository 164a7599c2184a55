import { type Markup, markup } from '../base/html.ts'

/**
 * What a page has for those who may add files to its folder. Without scripts it is a form; files of the same name are only
 * replaced by the second button.
 */
export function uploadForm(): Markup {
  return markup`<form class="up" method="post" enctype="multipart/form-data"><label>Add files <input type="file" name="file" multiple required></label> <button class="act">Upload</button> <button class="act" formaction="?replace">Upload and replace</button> <progress hidden aria-label="Upload"></progress> <output></output></form>
`
}

/**
 * What the form does when scripts may run: it sends each file by itself, shows how far it is, asks before it replaces one, and
 * takes files and folders that are dropped anywhere on the page. Its hash stands in the Content-Security-Policy.
 */
export const uploadScript = `(() => {
  const form = document.querySelector('.up')
  const [input, send, force] = form.querySelectorAll('input, button')
  const bar = form.querySelector('progress')
  const out = form.querySelector('output')
  let busy = false
  force.hidden = true

  const put = (path, file, replace, seen) =>
    new Promise((end) => {
      const request = new XMLHttpRequest()
      request.open('PUT', path.split('/').map(encodeURIComponent).join('/'))
      if (!replace) request.setRequestHeader('If-None-Match', '*')
      request.upload.onprogress = (event) => seen(event.loaded)
      request.onloadend = () => end(request)
      request.send(file)
    })

  /* Gives '' for a file that is stored, 'left' for one that stays as it was, else what went wrong. */
  const store = async (path, file, seen) => {
    let request = await put(path, file, false, seen)
    if (request.status === 412) {
      if (!confirm(path + ' is there already. Replace it?')) return 'left'
      request = await put(path, file, true, seen)
    }
    if (request.status >= 200 && request.status < 300) return ''
    return path + ': ' + (request.responseText.trim() || request.statusText || 'the connection broke off')
  }

  const upload = async (list) => {
    if (busy || list.length === 0) return
    busy = send.disabled = true
    const total = list.reduce((sum, [, file]) => sum + file.size, 0) || 1
    const answers = []
    let done = 0
    bar.max = total
    bar.hidden = false
    for (const [path, file] of list) {
      const seen = (bytes) => {
        bar.value = done + bytes
        const percent = Math.floor((100 * bar.value) / total)
        out.value = answers.length + 1 + ' of ' + list.length + ': ' + path + ', ' + percent + ' %'
      }
      seen(0)
      answers.push(await store(path, file, seen))
      done += file.size
    }
    busy = send.disabled = false
    bar.hidden = true
    form.reset()
    const failed = answers.filter((answer) => answer && answer !== 'left')
    out.value = failed.join(' \\u2022 ') || 'Nothing was changed'
    if (failed.length === 0 && answers.includes('')) location.reload()
  }

  form.onsubmit = (event) => {
    event.preventDefault()
    upload([...input.files].map((file) => [file.name, file]))
  }

  /* Adds all files in what was dropped to the list, with their paths. */
  const walk = async (entry, at, list) => {
    const path = at + entry.name
    if (entry.isFile) return list.push([path, await new Promise((done, fail) => entry.file(done, fail))])
    const reader = entry.createReader()
    for (;;) {
      const some = await new Promise((done, fail) => reader.readEntries(done, fail))
      if (some.length === 0) return
      for (const one of some) await walk(one, path + '/', list)
    }
  }

  const holdsFiles = (event) => event.dataTransfer && [...event.dataTransfer.types].includes('Files')
  addEventListener('dragover', (event) => {
    if (!holdsFiles(event)) return
    event.preventDefault()
    form.classList.add('over')
  })
  addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) form.classList.remove('over')
  })
  addEventListener('drop', async (event) => {
    if (!holdsFiles(event)) return
    event.preventDefault()
    form.classList.remove('over')
    const list = []
    const dropped = [...event.dataTransfer.items].map((item) => [item.webkitGetAsEntry?.(), item.getAsFile()])
    try {
      for (const [entry, file] of dropped)
        if (entry) await walk(entry, '', list)
        else if (file) list.push([file.name, file])
      upload(list)
    } catch (error) {
      out.value = error.message
    }
  })
  addEventListener('beforeunload', (event) => {
    if (busy) event.preventDefault()
  })
})()`
