"""Marks of copies done again, apart from the crate: the figures of tests/it/mark.rs and of docs/src/en/marks.md.

Python 3 with its own HMAC, SHA-256 and lgamma alone: `python3 crates/toji-commons/tests/it/data/mark.py`.
"""
import hmac,hashlib,math,unicodedata,struct
M=(1<<64)-1
class Mix:
    def __init__(s,seed): s.s=seed&M
    def below(s,n):
        s.s=(s.s*6364136223846793005+1442695040888963407)&M
        return (s.s>>33)%n
    def one(s,of): return of[s.below(len(of))]
def mac(key,purpose,content):
    p=purpose.encode(); return hmac.new(key,struct.pack('<Q',len(p))+p+content,hashlib.sha256).digest()
def fmt_e(x):
    # enough for identity of equal values
    return repr(float(x)+0.0)
def plain(c):
    t=unicodedata.normalize('NFKC',c.strip())
    try:
        f=float(t)
        if math.isfinite(f) and '_' not in t: return fmt_e(f)
    except ValueError: pass
    return t
def base(key,cells):
    b=b''
    for c in cells:
        t=plain(c).encode(); b+=struct.pack('<Q',len(t))+t
    return mac(key,'row',b)
def rowsecret(ck,b): return hashlib.sha256(ck+b).digest()
def rank(s): return int.from_bytes(s[:8],'big')
def label(s,copy): return f"{copy}.{int.from_bytes(s[8:12],'big'):08x}"
def quotes(s,t): return hashlib.sha256(s[12:]+t.strip().encode()).digest()[0]&1==1
def needs(t): return any(c in t for c in '",;\t\r\n')
def numeric(t):
    bare=''.join(c for c in t if c not in " _'%<>=~")
    try: float(bare); return True
    except ValueError: return bare.lower() in ["true","false","null","na","n/a","none","yes","no"]
def quotable(t): return t.strip()!='' and not needs(t) and not numeric(t.strip())
HEADER=["id","title","strain","yield","unit","note"]
def table(n,seed):
    m=Mix(seed); out=[]
    for i in range(n):
        title=f"培養 {m.below(40)}"; strain=m.one(["AO-1","AO-2","SC-7"]); a=m.below(90); b=m.below(100)
        note=m.one(["","foam, much",'said "good"',"-"])
        out.append([f"RUN-{i:05}",title,strain,f"{a}.{b:02}0","g/L",note])
    return out
# identity "id" = column 0
def handed(key,copy,rows):
    ck=mac(key,'copy',copy.encode())
    sec=[rowsecret(ck,base(key,[r[0]])) for r in rows]
    order=sorted(range(len(rows)),key=lambda i:rank(sec[i]))
    t=[[ (c,(quotable(c) and quotes(sec[i],c)) or needs(c)) for c in rows[i]]+[(label(sec[i],copy),False)] for i in order]
    sample=sorted({int.from_bytes(base(key,[r[0]])[:8],'big')>>12 for r in rows})[:256]
    return {'h':HEADER+['toji_release'],'r':t,'q':True},(copy,['id'],sample)
def lnc(n,k): return math.lgamma(n+1)-math.lgamma(k+1)-math.lgamma(n-k+1)
def coins(n,k):
    if 2*k<=n: return 0.0
    term=s=1.0
    for j in range(k,n):
        term*=(n-j)/(j+1); s+=term
    return min(0,lnc(n,k)-n*math.log(2)+math.log(s))
def trace(key,t,trails):
    lab=t['h'].index('toji_release') if 'toji_release' in t['h'] else None
    tests=0; out=[]
    for copy,ident,sample in trails:
        ck=mac(key,'copy',copy.encode())
        ways=[[t['h'].index('id')]] if 'id' in t['h'] else [[c] for c in range(len(t['h'])) if c!=lab]
        best=None
        for cols in ways:
            seen=set(); rows=[];bs=[]
            for r in t['r']:
                b=base(key,[r[c][0] for c in cols])
                if b in seen: continue
                seen.add(b); rows.append(r); bs.append(b)
            sec=[rowsecret(ck,b) for b in bs]
            la=[0,0]
            if lab is not None:
                for r,s in zip(rows,sec):
                    if r[lab][0].rsplit('.',1)[0]==copy: la[1]+=1; la[0]+=r[lab][0]==label(s,copy)
            n=len(sec)//2; o=sum(rank(sec[2*i])<rank(sec[2*i+1]) for i in range(n))
            q=[0,0]
            if t['q']:
                for r,s in zip(rows,sec):
                    told=set()
                    for c,(x,qq) in enumerate(r):
                        if c!=lab and quotable(x) and x.strip() not in told:
                            told.add(x.strip()); q[1]+=1; q[0]+=qq==quotes(s,x)
            tests+=3
            ln=min(0 if la[0]==0 else min(0,lnc(la[1],la[0])-la[0]*32*math.log(2)),coins(n,o),coins(q[1],q[0]))
            hs=[int.from_bytes(b[:8],'big')>>12 for b in bs]; end=sample[-1] if len(sample)>=256 else M
            cons=[h for h in hs if h<=end]; hit=sum(h in set(sample) for h in cons)
            f=(ln,copy,la,(o,n),q,(hit/len(cons) if len(cons)>=5 else None,len(cons)))
            if best is None or ln<best[0]: best=f
        if best: out.append(best)
    looks=math.log(max(tests,1))
    return [(min(0,(f[0]+looks)/math.log(10)),)+f[1:] for f in out]
def without(t): 
    i=t['h'].index('toji_release'); return {'h':t['h'][:i]+t['h'][i+1:],'r':[r[:i]+r[i+1:] for r in t['r']],'q':t['q']}
def kept(t,p,seed):
    m=Mix(seed); return dict(t,r=[r for r in t['r'] if m.below(100)<p])
def retyped(t):
    t=without(t)
    def ty(c):
        try: return (repr(float(c)),False)
        except ValueError: return (c,False)
    return {'h':t['h'],'r':[[ty(c) for c,_ in r] for r in t['r']],'q':False}
def srt(t,c): return dict(t,r=sorted(t['r'],key=lambda r:r[c][0]))
key=bytes([1])*32
T=table(400,5)
H=[handed(key,f"copy-{n}",T) for n in range(12)]
trails=[h[1] for h in H]; F=H[7][0]
def mixed():
    t=retyped(F); r=list(t['r'])
    for i in range(100): r.insert(i*5,[(f"X-{i}",False)]*6)
    return dict(t,r=r)
cases=[("as it came",F),("2% labels",kept(F,2,1)),("sorted, labels, retyped",dict(srt(F,3),q=False)),("no label 25%",kept(without(F),25,1)),
("no label sorted by lines",srt(without(F),3)),("no label sorted 10%",kept(srt(without(F),3),10,2)),("retyped",retyped(F)),("retyped 25%",kept(retyped(F),25,3)),
("ids renamed",{'h':['番号'],'r':[r[:1] for r in retyped(F)['r']],'q':False}),("fifth mixed",mixed())]
for n,t in cases:
    res=trace(key,t,trails); named=[f[1] for f in res if f[0]<=-6]; me=[f for f in res if f[1]=="copy-7"][0]
    print(n,len(t['r']),named,round(me[0],1),me[2:])
lost=trace(key,srt(retyped(F),0),trails); print('lost',[round(f[0],1) for f in lost],{f[5] for f in lost})
few=dict(retyped(F),r=retyped(F)['r'][:16]); print('few',max(-f[0] for f in trace(key,few,trails)))
other=trace(bytes([9])*32,F,trails); print('other',max(-f[0] for f in other),{f[5][0] for f in other})
# held
R=table(3000,8); hf=handed(key,'copy-half',R[:1500])[1]; al=handed(key,'copy-all',R)[1]; no=('copy-none',['id'],[])
lk={'h':HEADER,'r':[[(c,False) for c in r] for r in R[750:2250]],'q':False}
print([(f[1],f[5],round(f[0],2)) for f in trace(key,lk,[hf,al,no])])
# stitched
R=table(400,5); a,ta=handed(key,'copy-a',R); b,tb=handed(key,'copy-b',R); c,tc=handed(key,'copy-c',R)
bo=retyped(a); bo['r']=[r for r in bo['r'] if r[0][0]<"RUN-00200"]+[r for r in retyped(b)['r'] if r[0][0]>="RUN-00200"]
print('stitched',[(f[1],round(f[0],1)) for f in trace(key,bo,[ta,tb,tc])])
# shifted labels
k60=table(60,5); H6=[handed(key,f"copy-{n}",k60) for n in range(12)]; f6=dict(srt(H6[7][0],0),q=False); labs=[r[6] for r in f6['r']]
f6['r']=[r[:6]+[labs[(i+1)%60]] for i,r in enumerate(f6['r'])]
print('moved',[f for f in trace(key,f6,[h[1] for h in H6]) if f[1]=='copy-7'][0][:3])
# innocent
bey=[0,0,0]
for seed in range(3000):
    m=Mix(seed+77); kk=struct.pack('>Q',seed)+bytes(24); rows=table(64,5); tr=handed(kk,'copy-1',rows)[1]
    q=m.below(2)==0; al=m.below(3)
    t=[[(c,(al==0 or (al==1 and m.below(2)==0))) for c in r] for r in rows]
    w=m.below(3)
    if w==0: t=sorted(t,key=lambda r:r[3][0])
    elif w==1: t=t[::-1]
    else:
        for i in range(63):
            j=i+m.below(64-i); t[i],t[j]=t[j],t[i]
    f=trace(kk,{'h':HEADER,'r':t,'q':q},[tr])[0]
    assert f[0]>-6
    for i,l in enumerate([.1,.01,.001]): bey[i]+=f[0]<=math.log10(l)
print('innocent',bey)
